# 学校の職員、学校の情報担当、県の担当者が見るもの。エラーコードごとに: 何が起きたか、.means その意味、.next 次にすること。
# 差し込む項目は、そのコードのエラーがいつも持っているものだけ。

## 箱の始まりと設定
box-already_founded = この箱は、すでに学校のものとして設定されています
    .means = 何も変わっていません。
    .next = そのままお使いください。管理者のパスワードがわからないときは、appliance-admin staff password で新しくできます。別の学校の箱にするときは、県の窓口に連絡してください。
box-not_founded = この箱は、まだ学校のものとして設定されていません
    .means = 記録はまだ 1 件もありません。プログラムは始まっていません。
    .next = appliance init を実行してください。
config-invalid = 設定と、箱にあるデータまたは鍵が合っていません
    .means = プログラムは始まっていません。記録は変わっていません。
    .next = 最近変えた設定や鍵を元に戻してください。心当たりがないときは、県の窓口に連絡してください。
config-unknown = 設定ファイル { $file } に、知らない項目 { $key } があります
    .means = 設定は読み込まれず、プログラムは始まっていません。
    .next = つづりを確かめて直すか、その行を消してください。ここで使える項目: { $known }
config-value = 設定ファイル { $file } に、使えない値があります
    .means = 設定は読み込まれず、プログラムは始まっていません。原因: { $key } { $reason }
    .next = ファイルを直してから、もう一度始めてください。
config-credential = 認証情報 { $name } を読み込めません
    .means = プログラムは始まっていません。記録は変わっていません。
    .next = systemd のユニットの LoadCredential に { $name } があるか、元のファイルがあるか確かめてください。手で実行するときは CREDENTIALS_DIRECTORY にそのフォルダーを指定します。
config-run_dir = フォルダー { $path } に通信用のソケットを作れません
    .means = カードを読むプログラムは始まっていません。
    .next = 設定 box.run_dir のフォルダーがあるか、カード用の利用者が書き込めるか確かめてください。
config-lesson_hours = 授業時間の設定に使えない値があります（{ $value }）
    .means = 送信のプログラムは始まっていません。受付は続けられます。
    .next = 時間は 08:30-15:45 の形で、終わりを始まりより後に、曜日は 1（月）から 7（日）までの数字で書いてください。

## データベース
store-missing = データベースがありません（{ $path }）
    .means = プログラムは始まっていません。
    .next = 新しい箱なら appliance init を実行してください。使っていた箱なら、実行せずに県の窓口に連絡してください。
keys-running = 箱の鍵は、いま別のコマンドが交換しています
    .means = このコマンドは何も変えていません。別のコマンドはそのまま続きます。
    .next = 別のコマンドが終わるのを待ってから、appliance doctor で確かめてください。
keys-no_room = ディスクの空きが足りないので、鍵を交換できません（残り { $free_mb } MB）
    .means = 交換のあいだはデータベース 2 つ分の場所を使うため、{ $need_mb } MB 必要です。何も変わっていません。
    .next = 古いバックアップを消すなどしてディスクを空け、もう一度実行してください。
keys-no_successor = 新しい鍵が渡されていません
    .means = 鍵は封がされていて、新しい鍵は appliance-admin だけが作れます。何も変わっていません。
    .next = root で appliance-admin { $command } を実行してください。
keys-still_read = 別のプログラムが、データベースの前の状態を長いあいだ読み続けています
    .means = データベースはもう新しい鍵で、記録はすべて無事です。交換の最後の段階だけが残っています。
    .next = appliance ledger verify などのコマンドが終わってから、鍵の交換をもう一度実行してください。残りの段階だけが行われます。
store-wrong_key = データベースの鍵が合いません
    .means = データベースは開かれず、中身は変わっていません。鍵がないと、だれも読むことができません。
    .next = 認証情報 database.key が、この箱の鍵か確かめてください。それでも開かないときは、県の窓口に連絡してください。
store-too_new = データベース（{ $family }）が、このプログラムより新しい版で作られています（データベース { $database }、プログラム { $program }）
    .means = プログラムは始まっていません。記録は変わっていません。
    .next = プログラムを新しい版に戻してください。
store-too_old = データベース（{ $family }）の更新が { $waiting } 段階残っています
    .means = プログラムは始まっていません。記録は変わっていません。
    .next = appliance migrate を実行してください。箱の電源を入れ直しても自動で実行されます。
store-seal = 保存されている内容の一部を開けません
    .means = その部分が壊れているか、書きかえられています。ほかの記録には影響ありません。
    .next = appliance ledger verify で台帳を確かめて、結果を県の窓口に伝えてください。

## 名簿の取り込み
roster-refused = 名簿を取り込めません
    .means = 名簿は変わっていません。
    .next = 名簿のファイルを直して、もう一度取り込んでください。
roster-archive = { $reason ->
        [encrypted] 名簿の ZIP ファイルにパスワードがかかっています
        [method] 名簿の ZIP ファイルの圧縮方式に対応していません
       *[damaged] 名簿の ZIP ファイルが壊れているか、ZIP ファイルではありません
    }
    .means = 名簿は変わっていません。
    .next = { $reason ->
        [encrypted] パスワードをかけずに ZIP を作り直してください。
        [method] ふつうの圧縮（deflate）で ZIP を作り直してください。
       *[damaged] 校務支援システムから、もう一度 OneRoster の ZIP を出力してください。
    }
roster-size = 名簿のファイルが大きすぎます
    .means = 名簿は変わっていません。
    .next = { $what ->
        [files] ZIP の中は { $limit } ファイルまでです。OneRoster の CSV だけを入れてください。
        [unpacked] ZIP の中身は合計 { $limit } バイトまでです。この学校の分だけを出力してください。
       *[zip] ZIP は { $limit } バイトまでです。この学校の分だけを出力してください。
    }
roster-member = ZIP の中の { $file } は受け付けられません
    .means = 名簿は変わっていません。
    .next = { $reason ->
        [folder] CSV は、フォルダーに入れずに ZIP のいちばん上に置いてください。
        [twice] 同じ名前のファイルが 2 つあります。古いほうを消してください。
       *[unknown] OneRoster の名簿にないファイルです。ZIP から除いてください。
    }
roster-manifest = { $line ->
        [0] { $file } に { $property } の行がありません
       *[other] { $file } の { $line } 行目が正しくありません
    }
    .means = 名簿は変わっていません。
    .next = { $line ->
        [0] { $property } の行を加えるか、校務支援システムから出力し直してください。
       *[other] その行を直すか、校務支援システムから出力し直してください。必要な内容: { $property } { $expected }
    }
roster-variant = OneRoster の版が違います（{ $file } の { $line } 行目: { $found }）
    .means = 名簿は変わっていません。受け付けるのは { $expected } だけです。
    .next = 校務支援システムで「日本 K-12/Schools Profile v1.0」（{ $expected }）を選んで出力してください。
roster-delta = 差分だけの名簿は取り込めません（manifest.csv の { $line } 行目: { $file }）
    .means = 名簿は変わっていません。
    .next = 校務支援システムで、差分（delta）ではなく全件（bulk）を選んで出力してください。
roster-file_missing = 必要なファイル { $file } がありません
    .means = 名簿は変わっていません。
    .next = { $file } を含めて、校務支援システムから出力し直してください。
roster-file_unwanted = { $file } は名簿では受け付けません（manifest.csv の { $line } 行目）
    .means = 名簿は変わっていません。成績などはこの箱に入れません。
    .next = { $file } を含めずに出力するか、manifest.csv のその行を absent にしてください。
roster-encoding = { $file } の { $line } 行目: 文字コードが UTF-8 ではありません
    .means = 名簿は変わっていません。
    .next = { $found ->
        [bom] ファイルの先頭に BOM があります。「UTF-8（BOM なし）」で保存し直してください。
       *[not_utf8] Shift_JIS などになっています。「UTF-8（BOM なし）」で保存し直してください。
    }
roster-csv = { $file } の { $line } 行目、{ $position } 番目の値: CSV の形が正しくありません
    .means = 名簿は変わっていません。
    .next = { $expected ->
        [quotes] すべての値を半角の " で囲んでください。値の中の " は "" と書きます。
        [comma_or_line_end] 値のあとに、コンマか改行が必要です。
        [crlf] 行の終わりを CRLF にしてください。
        [text] 目に見えない制御文字が入っています。消してください。
        [rows] 行が多すぎます。この学校の分だけを出力してください。
        [columns] 列が多すぎます。余分なコンマがないか確かめてください。
       *[length] 値が長すぎます。閉じる " を忘れていないか確かめてください。
    }
roster-columns = { $file } の { $line } 行目: { $reason ->
        [missing] 列 { $column } がありません
        [unexpected] 知らない列 { $column } があります
        [twice] 列 { $column } が 2 回あります
        [count] 値の数が見出しと違います
       *[order] 列 { $column } の順番が違います
    }
    .means = 名簿は変わっていません。
    .next = { $reason ->
        [missing] 列を加えてください。大文字と小文字も区別します。
        [unexpected] つづりを確かめるか、列を消してください。独自の列は名前を metadata. で始めて、最後に置きます。
        [twice] どちらかの列を消してください。
        [count] コンマの過不足を確かめて、見出しと同じ数の値にしてください。
       *[order] 列を OneRoster で決められた順に並べてください。
    }
roster-value = { $file } の { $line } 行目、{ $column }: 値が空か、形が正しくありません
    .means = 名簿は変わっていません。必要な形: { $expected }
    .next = その値を直してください。表計算ソフトで開くと、番号や日付の形が変わることがあります。
roster-half_width_kana = { $file } の { $line } 行目、{ $column }: 半角カタカナがあります
    .means = 名簿は変わっていません。
    .next = 全角カタカナに直してください。
roster-twice = { $file } の { $line } 行目、{ $column }: { $first } 行目と同じ値です
    .means = 名簿は変わっていません。この列では、同じ値を 2 回使えません。
    .next = どちらかの行を消すか、値を直してください。
roster-reference = { $file } の { $line } 行目、{ $column }: { $missing } が { $target } にありません
    .means = 名簿は変わっていません。
    .next = { $target } に { $missing } の行を加えるか、この値を直してください。表計算ソフトで先頭の 0 が消えていないかも確かめてください。
roster-school_year = { $file } の { $line } 行目、{ $column }: 年度と合っていません
    .means = 名簿は変わっていません。年度は 4 月 1 日から 3 月 31 日までです。
    .next = { $expected } に直してください。
roster-period = { $file } の { $line } 行目、{ $column }: 終わりの日が始まりの日より前です
    .means = 名簿は変わっていません。
    .next = どちらかの日付を直してください。
roster-list_length = { $file } の { $line } 行目: { $column } と { $other } の数が違います（{ $found } と { $want }）
    .means = 名簿は変わっていません。
    .next = 2 つの列に、同じ数の項目を同じ順で書いてください。
roster-kind = { $file } の { $line } 行目、{ $column }: { $found ->
        [pupil] 児童・生徒
        [guardian] 保護者
       *[staff] 教職員
    }がいますが、ここに書けるのは{ $expected ->
        [pupil] 児童・生徒
        [guardian] 保護者
       *[staff] 教職員
    }だけです
    .means = 名簿は変わっていません。
    .next = この行の人か、roles.csv の役割を直してください。
roster-no_role = { $file } の { $line } 行目、{ $column }: この人の役割が roles.csv にありません
    .means = 名簿は変わっていません。
    .next = roles.csv にこの人の行を加えてください。
roster-guardian_lists = { $file } の { $line } 行目、{ $column }: 保護者の一覧が食い違っています
    .means = 名簿は変わっていません。
    .next = agentSourcedIds と metadata.madoguchi の保護者の列に、同じ人を 1 回ずつ書いてください。
roster-not_at_school = { $file } の { $line } 行目、{ $column }: 学校ではなく教育委員会を指しています
    .means = 名簿は変わっていません。
    .next = orgs.csv の学校（type が school）の sourcedId に直してください。
roster-one_school = { $file }: { $what ->
        [school] 学校の行が { $found } 行あります
       *[district] 教育委員会の書き方が正しくありません
    }
    .means = 名簿は変わっていません。1 つのファイルは 1 つの学校のものです。
    .next = { $what ->
        [school] 学校（type が school）の行を 1 行だけにしてください。
       *[district] 教育委員会（type が district）は 1 行までにし、その親は空に、学校の親はその教育委員会にしてください。
    }
roster-org_code = { $file } の { $line } 行目、{ $column }: コードの形が正しくありません
    .means = 名簿は変わっていません。
    .next = 学校は文部科学省の学校コード 13 文字、教育委員会は教育委員会コード 6 桁を書いてください。
school-code_form = 学校コードの形が正しくありません（{ $reason ->
        [length] 文字数
        [type] 学校種
        [prefecture] 都道府県番号
        [founder] 設置区分
       *[number] 番号
    }）
    .means = 何も変わっていません。
    .next = 文部科学省の学校コード 13 文字を、半角で入力してください（例: B113299900018）。
school-unknown_person = 名簿にいない人です
    .means = 何も変わっていません。
    .next = 名簿を取り込み直してから、もう一度お試しください。
people-unknown = この人は名簿にいません
    .means = 転出や卒業で名簿から外れたか、アドレスが違います。
    .next = 「人」のページで、名前かよみからさがしてください。

## サインイン
staff-wrong_password = アカウント名かパスワードが違います
    .means = サインインしていません。
    .next = 大文字と小文字を確かめて、もう一度入力してください。続けて間違えると、しばらくサインインできなくなります。どうしてもわからないときは、学校の情報担当に知らせてください。新しいパスワードを発行できます。
staff-account_locked = このアカウントは、いまサインインできません
    .means = パスワードの間違いが続いたため、止めています。あと { $minutes } 分です。
    .next = 時間がたってから、もう一度お試しください。覚えがないときは、学校の情報担当に知らせてください。
staff-weak_password = パスワードが短すぎます
    .means = 何も変わっていません。
    .next = { $least } 文字以上にしてください。
staff-id = { $reason ->
        [taken] このアカウント名は、すでに使われています
       *[form] このアカウント名は使えません
    }
    .means = アカウントは作られていません。
    .next = { $reason ->
        [taken] 別のアカウント名にしてください。
       *[form] 半角の英小文字、数字、点、ハイフン、下線で 2 文字から 32 文字、英小文字か数字で始めてください。
    }
staff-unknown_account = そのアカウントはありません
    .means = パスワードは変わっていません。
    .next = appliance-admin staff list でアカウント名を確かめて、もう一度実行してください。
staff-sign_in_needed = サインインが必要です
    .means = まだサインインしていないか、時間がたったため終了しました。入力中の内容は保存されていません。
    .next = もう一度サインインしてください。
link-not_a_guardian = 登録番号を出せるのは、いまの名簿にいる保護者だけです
    .means = 登録番号は作られていません。
    .next = 名簿で、この人が保護者になっているか確かめてください。

## 台帳と受領証
erase-unconfirmed = { $numbers } の中身を消すと、元に戻せません
    .means = まだ何も消していません。
    .next = 番号を確かめて、--yes を付けてもう一度実行してください。
erase-reason = 消す理由が空か、長すぎます（{ $most } 文字まで）
    .means = まだ何も消していません。
    .next = 法令や決定の名前などを --reason に書いてください。人の名前は書かないでください。
erase-seal = 記録 { $index } は長期保存用の署名か鍵なので、中身を消せません
    .means = まだ何も消していません。この記録に、人についての内容はありません。
    .next = その番号を除いて、もう一度実行してください。
erase-kept = { $index } 番の記録の中身は、前の台帳で何を消したかを示すものなので、消せません
    .means = まだ何も消していません。この中身に個人の情報はありません。
    .next = この番号を外して、もう一度実行してください。
ledger-absent = 台帳 { $origin } は、この箱にありません
    .means = 何も変わっていません。
    .next = 台帳の名前を確かめてください。
ledger-no_generation = この箱の台帳に、第 { $generation } 世代はありません
    .means = 何も変わっていません。
    .next = 世代は 1 から数えます。いちばん新しい世代に、いま記録しています。
ledger-behind_peer = 台帳が、相手が受領したところより古くなっています（こちら { $own } 件、相手 { $size } 件）
    .means = 古いバックアップから戻された可能性があります。受付は続けられます。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-superseded = この台帳は閉じられ、新しい世代に続いています
    .means = 何も書かれていません。番号は世代ごとに付くため、前の世代の番号をそのまま使うことはできません。
    .next = appliance ledger show で番号を確かめて、もう一度実行してください。
ledger-opening = 台帳の最初の記録に、前の世代のことが正しく書かれていません
    .means = 受け入れられていません。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-carried = 引きつがれた記録の形が正しくありません
    .means = 壊れた内容か、ほかの形式です。元の記録は、前の世代の台帳に残っています。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-branch = 引きつがれた記録が、前の台帳の終わりと合いません
    .means = 抜けているか、ほかの記録が混じっています。
    .next = 何も消さずに、前の世代の台帳と見比べてください。
ledger-no_entry = 台帳に { $index } 番の記録はありません
    .means = 何も変わっていません。
    .next = appliance ledger show で番号を確かめてください。
ledger-checkpoint = 台帳の署名か受領証を読み取れません
    .means = 形が正しくないか、別の台帳のものです。正しさは確かめられていません。
    .next = ファイルが途中で切れていないか確かめてください。箱の台帳でこう出たときは、県の窓口に連絡してください。
ledger-signature = 署名が合いません
    .means = 登録されている鍵で署名されたものではないか、内容が変わっています。
    .next = 受領証なら、元の受領証をもう一度読み取ってください。箱の台帳でこう出たときは、県の窓口に連絡してください。
ledger-key_ended = 使われなくなったはずの鍵で署名されています（記録 { $size } 件目。この鍵は { $end } 件目の前までです）
    .means = 鍵を替えたあとに、前の鍵で作られたものです。前の鍵がほかの人の手に渡っているおそれがあります。
    .next = 信用せず、何も消さずに、県の窓口に連絡してください。
ledger-key_history = 台帳の鍵の並びが正しくありません（{ $reason }）
    .means = どの鍵がいつから署名したかの記録が、台帳の中身と合いません。
    .next = 受け取ったファイルなら、もう一度もらってください。箱の台帳でこう出たときは、何も消さずに県の窓口に連絡してください。
ledger-succession = 鍵の引き継ぎの署名が正しくありません（{ $reason }）
    .means = 前の鍵が新しい鍵を認めたことを確かめられません。
    .next = 受け取ったファイルなら、もう一度もらってください。箱の台帳でこう出たときは、何も消さずに県の窓口に連絡してください。
ledger-signing_key = このプログラムの鍵では、台帳に署名できません
    .means = 箱の鍵を替える前から動いているか、別の箱の鍵を使っています。記録はされていません。これまでの記録は無事です。
    .next = プログラムを起動し直してください（箱では systemctl restart appliance.target）。それでも出るときは、認証情報 device.key がこの箱の鍵か、データベースを古い写しに戻していないかを確かめて、県の窓口に連絡してください。
ledger-root = 台帳の記録が、署名された内容と一致しません
    .means = 記録が失われたか、書きかえられた可能性があります。
    .next = 何も消さずに、すぐに県の窓口に連絡してください。
ledger-entry_missing = 台帳の { $index } 番の記録がありません
    .means = 後の記録はあるのに、この記録だけが失われています。消されたか、データベースが壊れた可能性があります。
    .next = 何も消さずに、すぐに県の窓口に連絡してください。
ledger-body_missing = 台帳の { $index } 番の記録の中身がありません（全部で { $count } 件）
    .means = 消した理由の記録がないので、正しい手順で消されたものではありません。台帳の木はそのままです。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-erasure = 前の台帳で中身を消したという記録が正しくありません
    .means = 形が正しくないか、同じ学校の前の台帳ではないものを指しているか、この記録の中身まで消したことになっています。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-rolled_back = データベースが古い写しに置きかわっています（今 { $own } 件、署名済み { $size } 件）
    .means = この箱は { $size } 件まで署名していました。その後の記録がこのデータベースにありません。
    .next = 何も消さずに、箱を回線につないだまま、県の窓口に連絡してください。
ledger-forked = 台帳が、以前に署名または確認された台帳と違います（{ $size } 件の時点）
    .means = データベースが別のものに置きかわったか、書きかえられた可能性があります。
    .next = 何も消さずに、すぐに県の窓口に連絡してください。
ledger-note_damaged = 台帳の最後の署名の控え（box.head）を読めません
    .means = 控えを書くときに電源が切れた可能性があります。記録そのものには影響ありません。
    .next = 次の記録で新しい控えが書かれます。そのあと appliance ledger verify をもう一度実行してください。
ledger-order = 台帳の { $index } 番の記録の順序が正しくありません
    .means = 前の記録より古いか、まだない記録や、別の起動を指しています。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-entry_version = 台帳の { $index } 番の記録は、新しい版のプログラムで書かれています（{ $type }、版 { $version }）
    .means = ほかの記録について何を述べているかをここでは読めないので、何も受け入れられていません。記録が壊れたわけではありません。
    .next = ここのプログラムを最新の版にしてから、もう一度お試しください。何も消さないでください。
ledger-proof = 記録が台帳にあるという証明が成り立ちません
    .means = 受領証か台帳の内容が変わっている可能性があります。
    .next = 元の受領証をもう一度読み取ってください。それでも変わらないときは、県の窓口に連絡してください。
ledger-commitment = 記録の中身が、台帳に刻まれた値と一致しません（{ $type }）
    .means = 中身が書きかえられた可能性があります。台帳の木はそのままです。
    .next = 何も消さずに、県の窓口に連絡してください。
ledger-encoding = 記録の形式が正しくありません
    .means = 書きかえられたか、途中で壊れた内容です。受け入れられていません。
    .next = もう一度お試しください。箱の台帳でこう出たときは、県の窓口に連絡してください。
ledger-entry_form = 記録として読み取れない内容があります
    .means = 壊れた内容か、ほかの形式です。受け入れられていません。
    .next = 箱の台帳でこう出たときは、何も消さずに県の窓口に連絡してください。
ledger-key_form = 鍵のファイルの形が正しくありません
    .means = 鍵は使われていません。
    .next = P-256 の鍵を PEM 形式で指定してください。
export-form = 書き出された台帳ではないか、中に正しくない部分があります
    .means = 別のファイルか、書きかえられたファイルです。正しさは確かめられていません。
    .next = appliance ledger export で書き出したファイルかどうか確かめてください。
export-version = この台帳のファイルは新しい形式です（{ $version }）
    .means = このプログラムでは確かめられません。内容が正しくないという意味ではありません。
    .next = 新しい版のプログラムで確かめてください。
export-cut = 書き出された台帳の終わりの部分がありません
    .means = 写す途中で切れたか、最後まで書かれていません。正しさは確かめられていません。
    .next = ファイルをもう一度写すか、もう一度書き出してもらってください。
export-altered = 台帳のファイルが、書き出されたときのままではありません
    .means = 後から書きかえられたか、壊れています。正しさは確かめられていません。
    .next = ファイルをもう一度写すか、もう一度書き出してもらってください。
export-size = この件数は書き出せません（{ $own } 件のうち { $size } 件）
    .means = 何も書き出していません。
    .next = 1 から { $own } までの数を指定するか、指定せずにすべて書き出してください。
export-unsigned = この前の台帳は、最初の { $size } 件だけでは書き出せません
    .means = ちょうどこの件数での署名がなく、この台帳の鍵ではもう署名できません。
    .next = --first { $nearest } にするか、--first を外して全部を書き出してください。
export-later_key = 中身を消したと記録している後の台帳（{ $origin }）の鍵が、指定されていません
    .means = その鍵（{ $key }）がないと、消したという記録を確かめられません。ファイルの正しさは、まだ何も確かめられていません。
    .next = その台帳の鍵も --box-key で指定してください。鍵は、箱で appliance receipt key を実行すると表示されます。
export-exists = ファイル { $file } はもうあります
    .means = 何も書き出していません。ファイルは元のままです。
    .next = 別の名前にするか、置きかえるときは --force をつけてください。
receipt-number = 受付番号の形が正しくありません
    .means = 何も調べていません。
    .next = M-000123 のような受付番号か、台帳の番号（0 以上の数字）を指定してください。
receipt-text = 受領証の文字が正しくありません（{ $place } 文字目のあたり）
    .means = 文字が抜けているか、変わっています。続いた空白が 1 つになっていることもあります。正しさは確かめられていません。
    .next = QR コードを写真にとってその写真を指定するか、文字をもう一度すべて写し取ってください。
receipt-form = 受領証ではありません
    .means = 受領証のデータでも、{ $prefix } で始まる文字でも、写真（PNG、JPEG、WebP）でもありません。
    .next = ファイルを取りちがえていないか、空でないか確かめてください。
receipt-length = ファイルが大きすぎます（{ $most } MB まで）
    .means = 受領証がこれほど大きくなることはありません。読み込んでいません。
    .next = QR コードだけを写した写真か、画面を写した画像を指定してください。
receipt-no_code = 写真の中に QR コードが見つかりません
    .means = 写っていないか、ぼやけて読み取れません。受領証の正しさは確かめられていません。
    .next = QR コードの全体が、まわりの白いふちも入れて、はっきり大きく写るようにとり直してください。
receipt-other_code = 写真の QR コードは受領証のものではありません
    .means = QR コードを { $codes } 個読み取りましたが、どれも受領証ではありません。
    .next = 受領証の QR コードが写った写真を指定してください。
receipt-several = 写真に受領証が { $receipts } 枚写っています
    .means = どれを確かめるのか分からないため、何も確かめていません。
    .next = 1 枚だけ写した写真を指定してください。
receipt-no_key = 確かめるための鍵がありません
    .means = この機械に箱の認証情報がなく、鍵のファイルも指定されていません。何も確かめていません。
    .next = 箱の公開鍵を --box-key で指定してください。箱の上では appliance-admin で実行してください。
receipt-no_hub_key = この箱は県の鍵を持っていません
    .means = 県への登録がまだです。
    .next = 県に登録してから実行するか、県の窓口から公開鍵をもらってください。
photo-kind = この種類の画像は読み取れません
    .means = 読み取れるのは { $kinds } です。電話の写真は HEIC のことがあります。
    .next = JPEG か PNG で保存し直すか、写真を表示した画面を写した画像を指定してください。
photo-size = 画像が大きすぎます（{ $most } 画素まで）
    .means = 読み込んでいません。
    .next = QR コードの部分だけを切り取るか、小さくして保存した画像を指定してください。
photo-damaged = 画像が壊れていて読み取れません
    .means = ファイルが途中で切れているか、変わっています。受領証の正しさは確かめられていません。
    .next = 画像をもう一度受け取るか、とり直してください。
evidence-key_form = 県の確認用の鍵が正しくありません
    .means = 証拠を閉じることも開くこともできません。
    .next = 県のハブの確認用の鍵（ML-KEM-768 と X25519）を指定してください。箱なら、登録ファイルを県からもらい直してください。
evidence-sealed = 証拠を開けません
    .means = 鍵が違うか、内容が変わっています。記録そのものは変わっていません。
    .next = 証拠を閉じた相手の鍵（県の確認用の鍵か、開示を受けた監査人の鍵）を使ってください。それでも開かないときは、内容が壊れています。
evidence-auditor_key = 監査人の鍵が正しくありません
    .means = 何も開示されず、何も開かれていません。
    .next = 監査人の鍵のファイルを指定してください。開示には auditor.pub、監査には auditor.key を使います。
evidence-key_exists = { $file } は、もうあります
    .means = 鍵は作っていません。前の鍵に開示されたものは、前の鍵でしか開けません。
    .next = 別の場所を指定してください。
evidence-file = 証拠のファイルとして読めません
    .means = ファイルの種類か版が違うか、途中で壊れています。
    .next = 箱で書いた証拠のファイルか、県から受け取った開示のファイルかを確かめ、もう一度もらってください。
evidence-other_statement = 署名された文が、記録のものと違います
    .means = この文がその記録のものだとは言えません。
    .next = 箱の台帳の記録と見比べ、県の担当者に伝えてください。
evidence-other_certificate = 証明書が、署名したときのものと違います
    .means = だれのカードの署名かを言えません。
    .next = 箱で証拠のファイルを書き直してください。同じなら、県の担当者に伝えてください。
evidence-none = この記録には証拠がありません
    .means = カードの署名がいらない記録か、県に登録する前の記録か、消された記録です。
    .next = appliance ledger show で番号を確かめてください。
statement-form = 署名された文の形が正しくありません
    .means = 箱が画面に出した文だとは言えません。
    .next = 県の担当者に伝えてください。

## 証拠の確認
proof-good = 証拠は本物です。カードの持ち主が、下の文に署名しました。
proof-refused = 証拠として認められません。{ $number } 番が不合格です。{ $reason }
proof-failed-item = ファイルが途中で壊れたか、書きかえられています。箱か県からもう一度もらってください。
proof-failed-key = この鍵のために閉じたものではないか、ほかの部分が書きかえられています。鍵を確かめてください。
proof-failed-content = 別の項目と取り違えたか、中身が違います。箱か県からもう一度もらってください。
proof-failed-form = 箱が画面に出した文の形ではありません。
proof-failed-statement = 署名された文は、この記録のものではありません。
proof-failed-certificate = 証明書は、署名したときのものではありません。
proof-failed-chain = 指定した認証局の証明書ではないか、署名の時に有効ではありませんでした。指定したルート証明書を確かめてください。
proof-failed-signature = このカードは、この文に署名していません。
proof-test_card = 試験用のカードです。本物の人の証拠にはなりません。
proof-result-good = 合格
proof-result-failed = 不合格
proof-result-open = 未確認
proof-check-item = データが、ファイルにある値（SHA-256）と一致する
proof-check-key = 手元の鍵で開ける
proof-check-content = 中身が、1 件ごとの鍵で開ける
proof-check-form = 署名された文が、決められた形をしている
proof-check-statement = 署名された文が、記録の値（SHA-256、ファイルの記載）と一致する
proof-check-certificate = 証明書が、署名したときのものと一致する
proof-check-chain = 証明書が、指定した認証局のもので、署名の時に有効だった
proof-check-signature = そのカードが、この文に署名した
proof-mirror-committed = この証拠は、県に届いている記録が示すものと一致します。
proof-mirror-other = 県に届いている記録は、この証拠を示していません。その記録の証拠にはなりません。箱でもう一度書き出してもらってください。
proof-mirror-erased = 県に届いている記録の中身は消去済みです。この証拠がその記録のものかどうかは、もう確かめられません。
proof-mirror-absent = この記録は県に届いていません。記録があるかどうかは確かめられていません。どこまで届いているかは appliance hub schools で確かめてください。
proof-revocation = カードの失効は、ここでは確かめていません。
proof-record = 記録: { $number }、台帳 { $origin }（ファイルの記載）
proof-school = 学校: { $name }（{ $code }）
proof-time = 日時: { $at }（箱の時計）
proof-read = 本人が読んで署名した文（目的 { $purpose }、言語 { $language }）:
proof-unproven = 証明されていない文（目的 { $purpose }、言語 { $language }）:
proof-disclosed = { $number } を監査人に開示するファイルを { $file } に書きました。この 1 件だけが、その監査人の鍵で開きます。

## ハブとの送受信
line-identity = 県との通信に使う証明書か鍵が使えません
    .means = 県に送信できません。受付は続けられ、記録は箱に残ります。
    .next = 県から登録ファイルをもらい直し、appliance enroll で登録してください。
sync-gap = 途中の記録がまだ届いていません（次に必要なのは { $wanted } 番）
    .means = 届いた分は保存していません。送る側には記録が残っています。
    .next = 自動で送り直されます。何日も続くときは、県の窓口に連絡してください。
sync-replayed = すでに受け取った記録が、もう一度届きました
    .means = 二重には保存していません。受け取り済みは { $size } 件です。
    .next = 自動で続きます。くり返し出るときは、県の窓口に連絡してください。
sync-other_school = 別の台帳の記録が届きました（ここで受け取るのは { $expected }）
    .means = 受け取っていません。
    .next = 箱とハブの登録を確かめてください。
sync-malformed = 読み取れない通信が届きました
    .means = 受け取っていません。送る側には記録が残っています。
    .next = 続くときは、箱とハブのプログラムの版が合っているか確かめてください。
sync-oversize = 一度に送れる大きさを超えています（{ $bytes } バイト、上限 { $most } バイト）
    .means = まだ送っていません。記録は箱に残っています。
    .next = 県の窓口に連絡してください。
enrolment-document = 登録ファイルが正しくありません（{ $field }）
    .means = 登録は変わっていません。
    .next = ファイルを開かず、書きかえずに、もう一度受け渡してください。
enrolment-foreign = この登録ファイルは、この箱のものではありません
    .means = 登録は変わっていません。
    .next = { $reason ->
        [school] 別の学校のファイルです。この学校のファイルを県から受け取ってください。
        [authority] ファイルの証明書が、中の認証局のものではありません。県からもらい直してください。
        [certificate] ファイルの証明書を読めません。県からもらい直してください。
       *[other] 鍵が合いません。appliance enroll request で申請ファイルを作り直し、県に渡してください。
    }
enrolment-line_key = 通信用の鍵 line.key が使えません
    .means = 登録は変わっていません。
    .next = 認証情報 line.key が P-256 の鍵（PEM 形式）か確かめてください。
enrolment-token_form = トークンではないか、文字に誤りがあります
    .means = 登録は変わっていません。トークンはまだ使えます。
    .next = トークン全体をもう一度入力するか、貼り付けてください。
enrolment-unreachable = ハブ { $host }（ポート { $port }）から応答がありません
    .means = 登録は変わっていません。
    .next = 回線を確かめ、同じトークンで同じ操作をもう一度行ってください。
enrolment-wrong_hub = { $host } で応答したのは、このトークンを発行したハブではありません
    .means = 箱からは何も伝えていません。登録は変わっていません。
    .next = 県に電話で知らせてください。途中にだれかがいるおそれがあります。別の回線なら登録できることがあります。
enrolment-clock = 箱の時計では、ハブ { $host } の証明書が有効期間の外です
    .means = 箱かハブの時計が違っています。登録は変わっていません。
    .next = 箱の時計を合わせ、同じ操作をもう一度行ってください。
enrolment-refused = ハブがこのトークンを受け付けませんでした
    .means = 登録は変わっていません。
    .next = { $reason ->
        [expired] 有効な 10 分を過ぎました。県に新しいトークンを求めてください。
        [used] 別の箱がすでに使いました。心当たりがなければ県に知らせ、新しいトークンを求めてください。
        [school] 別の学校のトークンです。この学校のトークンを県に求めてください。
        [tries] 失敗が多すぎました。県に新しいトークンを求めてください。
        [unknown] ハブがこのトークンを知らないか、新しいものが発行されています。最新のトークンを使ってください。
        [proof] 証明が正しく届きませんでした。同じ操作をもう一度行ってください。
        [busy] ハブが混み合っています。1 分待って、同じ操作をもう一度行ってください。
        [admitted_before] この学校は別の箱で登録されています。この箱に取り替えるのか、県に確かめてください。
       *[other] ハブの返事を県に伝えてください：{ $reason }
    }

## 県のハブ
hub-already_founded = ハブはすでに { $path } に作られています
    .means = 何も変わっていません。作り直すと鍵が変わり、どの箱もハブを信用しなくなります。
    .next = そのままお使いください。別のハブを作るときは、別のフォルダーを指定してください。
hub-not_founded = ハブがまだ作られていません（{ $path }）
    .means = ハブは始まっていません。
    .next = appliance hub init を実行してください。
hub-authority = ハブの認証局の証明書か鍵が使えません
    .means = 箱の登録はできません。すでに登録された箱には影響ありません。
    .next = ハブのフォルダーの認証局のファイルが、appliance hub init で作られたままか確かめてください。
hub-certificate_request = 箱の申請ファイルの証明書要求が正しくありません
    .means = 箱は登録されていません。
    .next = 箱で appliance enroll request を実行し、申請ファイルを作り直してもらってください。
hub-admitted_before = 学校 { $school } は、別の台帳か別の鍵で、すでに登録されています
    .means = 登録は変わっていません。箱が取り替えられたか、だれかが学校を名乗っています。
    .next = 学校に電話で確かめてください。取り替えた箱なら、ハブの運用担当者に連絡してください。
hub-token = このトークンでは登録できません（{ $reason }）
    .means = 箱は登録されていません。
    .next = appliance hub token で新しいトークンを発行してください。
hub-token_school = { $school } は学校コードではありません
    .means = トークンは発行していません。
    .next = 学校コード 13 文字を指定してください。
hub-no_endpoint = ハブはトークンを受け付けていません。登録用のポートが設定されていません
    .means = トークンは発行していません。
    .next = /etc/appliance/hub.toml の [enrolment] に port を設定してハブを始め直すか、二つのファイルで登録してください。
hub-revoked = この学校の登録は取り消されています
    .means = 箱に新しい証明書は発行されません。
    .next = もう一度登録するときは、appliance hub token でトークンを発行してください。
hub-renewed_too_often = 箱が証明書を続けて求めています
    .means = 今回は発行していません。
    .next = 箱が自動でもう一度求めます。
hub-unknown_school = 学校 { $school } は、このハブに登録されていません
    .means = 何も変わっていません。
    .next = 学校コードを確かめてください。登録された学校は appliance hub schools で見られます。
hub-file = ファイル { $file } を読み書きできません
    .means = 何も変わっていません。
    .next = ファイルの場所と、読み書きの権限を確かめてください。

## 信頼する証明書とコマンド
trust-anchor_file = ルート証明書のファイルを読めません
    .means = カードを確かめられないため、先に進めません。
    .next = PEM または DER のルート証明書だけが入ったファイルを指定してください。
cli-pin_source = 暗証番号を受け取れません
    .means = カードには何も送っていません。回数は減っていません。
    .next = 端末から実行するか、--pin-fd に読み取れる番号を指定してください。
web-no_sentence = 画面の文が用意されていません（{ $key }、{ $language }）
    .means = 画面の表示だけの問題です。記録は変わっていません。
    .next = この表示を県の窓口に伝えてください。
web-message_file = 画面の文のファイル { $file } に、読めない行があります（{ $line }）
    .means = プログラムは始まっていません。記録は変わっていません。
    .next = プログラムを入れ直してください。
web-unknown_host = このアドレスでは開けません
    .means = この箱の名前ではないアドレスで開かれました。何も変わっていません。
    .next = 学校の情報担当から聞いたアドレスを、そのまま入力してください。名前を変えたときは、設定 staff.names に加えます。

## 封じた鍵、TPM、復旧の文字
tpm-tool = TPM を使えません。{ $program } が失敗しました（{ $reason }）
    .means = 鍵は変わっていません。
    .next = ファームウェアの設定で TPM が有効か、パッケージ tpm2-tools が入っているか確かめてください。
tpm-pcrs_unset = ファームウェアが PCR { $pcrs } に何も記録していません
    .means = 結びつける相手がないため、鍵を封じませんでした。鍵は変わっていません。
    .next = ファームウェアの設定で TPM と Secure Boot を有効にしてください。記録できない基板のときは、/etc/appliance/site.toml の [keys] に tpm = "never" と書きます（鍵はディスクだけに結びつきます）。
tpm-owned = TPM に、この箱の知らないロックアウト用の認証が設定されています
    .means = 停電がつづくと鍵が開かなくなるため、鍵を封じませんでした。鍵は変わっていません。
    .next = ファームウェアの設定で TPM を消去（クリア）してから、もう一度実行してください。以前この TPM で封じたものは開かなくなります。
keys-pcrs_changed = 鍵 { $name } が開きません。封じた後に、ファームウェアか Secure Boot の鍵が変わりました
    .means = 箱は始まりません。記録は変わっていません。
    .next = 心当たりがないときは、県の窓口に連絡してください。変更したときは、いったん元に戻して appliance-admin keys seal --without-tpm を実行してから変更するか、復旧の文字で復旧してください（appliance-admin keys restore）。
keys-other_tpm = 鍵 { $name } が開きません。別の TPM で封じられたか、この TPM が消去されています
    .means = 箱は始まりません。記録は変わっていません。
    .next = 金庫から復旧の文字を出し、appliance-admin keys restore を実行してください。
keys-tpm_locked = 鍵 { $name } が開きません。電源が何度も切れたため、TPM がロックされています
    .means = 箱は始まりません。記録は変わっていません。
    .next = appliance-admin keys prepare を実行すると解除されます。だめなときは、箱の電源を 1 日入れたままにしてください。
keys-tpm_absent = 鍵 { $name } が開きません。TPM が応答しません
    .means = 箱は始まりません。記録は変わっていません。
    .next = ファームウェアの設定で TPM が有効か確かめてください。故障しているときは、復旧の文字で復旧してください（appliance-admin keys restore）。
keys-unopened = 鍵 { $name } を開けることも封じることもできません（{ $reason }）
    .means = 記録は変わっていません。
    .next = 箱の上で root として実行してください。ディスクを取り替えたときは、復旧の文字で復旧してください（appliance-admin keys restore）。
keys-none = { $folder } に封じた鍵がありません
    .means = このディスクでは箱がまだ作られていないか、ディスクが取り替えられています。
    .next = 新しい箱なら appliance-admin init を、復旧なら復旧の文字を用意して appliance-admin keys restore を実行してください。
keys-not_private = 復旧の文字は、パイプやログには書き出しません
    .means = 何も表示していません。
    .next = 端末で実行するか、--out で新しいファイルを指定してください。
keys-present = この箱の鍵はそろっていて、開きます
    .means = 何も変わっていません。
    .next = 復旧は必要ありません。封じ直すときは appliance-admin keys seal を実行してください。
keys-other_paper = ここにある鍵 { $name } は開きますが、復旧の文字の鍵とは違います
    .means = 何も変わっていません。
    .next = この学校の箱の、いちばん新しい紙か確かめてください。
recovery-number = { $row } 行目が、行の番号（1 から { $lines }）とコロンで始まっていません
    .means = 何も変わっていません。
    .next = 紙のとおりに、たとえば「3:」に続けて文字の組を入力してください。
recovery-symbol = { $line } の行に、使われない文字「{ $symbol }」があります
    .means = 何も変わっていません。
    .next = 紙の { $line } の行と見くらべてください。数字と、I・L・O・U を除く英字だけが使われています。
recovery-length = { $line } の行は { $wanted } 文字のはずですが、{ $found } 文字あります
    .means = 何も変わっていません。
    .next = 紙の { $line } の行と、組ごとに見くらべてください。
recovery-check = { $line } の行に、打ちまちがいがあります
    .means = 何も変わっていません。
    .next = 紙の { $line } の行と、1 文字ずつ見くらべてください。8 と B、5 と S、2 と Z は似ています。
recovery-twice = { $line } の行が 2 つあり、内容が違います
    .means = 何も変わっていません。
    .next = まちがっているほうを消すか、2 枚の紙が混ざっていないか確かめてください。
recovery-missing = 足りない行があります: { $missing }
    .means = 何も変わっていません。
    .next = 紙の行をすべて入力してください。
recovery-key = { $first } と { $last } の行の組み合わせが正しくありません
    .means = 何も変わっていません。
    .next = 2 つの行を紙と見くらべ、2 枚の紙が混ざっていないか確かめてください。

## バックアップと復元
backup-form = 箱のバックアップのファイルではありません{ $reason ->
        [version] （新しい版で書かれています）
        [kind] （種類が違います）
       *[other] （先頭が壊れています）
    }
    .means = 何も変わっていません。
    .next = --backup には末尾が .backup のファイル、--keys には末尾が .keys のファイルを、書かれたままの形で指定してください。
backup-damaged = バックアップが壊れています（{ $chunk } 番目の部分）
    .means = 途中が変わっているか、終わりが足りません。何も復元していません。
    .next = 保管しているものから、もう一度写してください。それでも直らないときは、ひとつ前のバックアップを使ってください。
backup-recipient = 別の鍵（{ $wanted }）あてのバックアップです
    .means = ここにある鍵では開きません。何も変わっていません。
    .next = バックアップを作ったときに登録していたハブの hub-backup.key を使ってください。
backup-content = バックアップの中身を読み取れません（{ $reason }）
    .means = 開きましたが、箱が書いたものではありません。何も復元していません。
    .next = ひとつ前のバックアップを使い、かっこの中の語を県の窓口に伝えてください。
backup-key = バックアップ用の公開鍵ではありません
    .means = バックアップは作られていません。
    .next = 県のハブの backup.pub を指定してください。
backup-no_key = この箱は、県のバックアップ用の鍵を知りません
    .means = バックアップは作られていません。作っても、開ける人がいないためです。
    .next = 県で appliance hub backup-key を実行し、この箱をもう一度登録してもらってください（appliance enroll）。または --to で鍵を指定してください。
backup-write = { $folder } にバックアップを書けません（{ $reason }）
    .means = バックアップは作られず、書きかけも残っていません。箱はもとのままです。
    .next = 媒体があるか、書きこめるか、空きがあるかを確かめて、もう一度実行してください。
restore-document = ファイルが違います（{ $expected } が必要です）
    .means = 何も変わっていません。
    .next = 申請は新しい箱の appliance restore request で、許可は県の appliance hub release で作ります。
restore-release = 県の許可が{ $reason ->
        [files] この 2 つのファイル
       *[request] この箱の申請
    }に合いません
    .means = 何も復元していません。
    .next = このバックアップ、この鍵のファイル、この箱の最後の申請に対する許可を、県からもらってください。
restore-no_request = この箱はバックアップを申請していないか、申請が使い終わっています
    .means = 何も復元していません。
    .next = appliance restore request を実行し、それに対する許可を県からもらってください。
restore-present = { $path } に、すでに箱があります
    .means = 何も変わっていません。記録の上にバックアップを戻すことはありません。
    .next = まだ作られていない箱に復元してください。ここの記録が壊れているときは、消さずに県の窓口に連絡してください。
restore-pair = バックアップと鍵のファイルが組になりません{ $reason ->
        [school] （学校が違います）
       *[older] （鍵のほうが古いものです）
    }
    .means = 何も復元していません。
    .next = この学校のいちばん新しい鍵のファイルを使ってください。それまでのどのバックアップも開きます。
restore-ledger = バックアップの中の記録が正しくありません（{ $error }、{ $origin }）
    .means = バックアップの前か後に変えられています。何も復元していません。
    .next = ひとつ前のバックアップを使い、これは保管して、かっこの中の語を県の窓口に伝えてください。
hub-no_new_generation = 申請（{ $asked }）は、学校 { $school } の新しい台帳のものではありません
    .means = 何も登録していません。
    .next = --new-generation を外してください。復元された箱が、登録済みのものより後の台帳で申請したときだけ付けます。
hub-unknown_box = このハブは、バックアップの台帳 { $origin } を登録したことがありません
    .means = 何も許可していません。その箱が書いたものかどうか、ここでは分からないためです。
    .next = バックアップの出どころを学校に確かめてください。確かなら、--not-admitted を付けてもう一度実行してください。

## 長期保存用の署名
archive-form = 長期保存用の署名か、その鍵の形が正しくありません
    .means = 日付の順が正しくないこともあります。この署名では何も確かめられません。
    .next = この台帳とバックアップを消さずに残し、県の窓口に連絡してください。
archive-tree = { $date } の長期保存用の署名が、その日の終わりの台帳と合いません
    .means = その日までの記録が、あとから加えられたか、消されたか、書きかえられた可能性があります。
    .next = この台帳とバックアップを消さずに残し、県の窓口に連絡してください。
archive-not_introduced = { $date } の長期保存用の署名は、台帳に登録されていない鍵のものです
    .means = だれの鍵か分かりません。記録が偽造された可能性があります。
    .next = この台帳とバックアップを消さずに残し、県の窓口に連絡してください。
archive-signature = { $date } の長期保存用の署名が合いません
    .means = 登録されている鍵で署名されたものではないか、その日までの記録が書きかえられています。
    .next = この台帳とバックアップを消さずに残し、県の窓口に連絡してください。
archive-other_key = 台帳にある長期保存用の鍵（{ $key_id }）は、指定された鍵ではありません
    .means = 別の箱の鍵を指定したか、台帳が偽造された可能性があります。
    .next = 箱で appliance-admin receipt key --archive を実行し、表示された鍵と見くらべてください。
archive-key_form = 長期保存用の鍵のファイルの形が正しくありません
    .means = 鍵は使われていません。
    .next = ML-DSA-65 の鍵を PEM 形式で指定してください。
archive-no_key = この箱には、長期保存用の署名をする鍵がまだありません
    .means = 長期保存用の署名はしていません。記録と、ふだんの署名はそのままです。
    .next = appliance-admin keys complete で鍵を作り、そのあと appliance-admin ledger seal を実行してください。
archive-none = この台帳には、長期保存用の署名がまだありません
    .means = 署名の鍵も、まだ台帳に登録されていません。
    .next = 次の夜まで待つか、appliance-admin ledger seal を実行してください。

## 職員が、記録の途中で見るもの（窓口の画面では errors.ftl の文）
staff-back = 「今日」のページにもどる
staff-to-box = 「箱の状態」のページを見る
staff-clock-wrong = 箱の時計が合っていません
    .means = いまの操作は記録されていません。期限のある番号は、時計が合うまで作れません。
    .next = 時計は、回線がつながると自動で合います。10 分たっても直らないときは、県の窓口に連絡してください。
staff-store-busy = ほかの記録を書いているところです
    .means = いまの操作は記録されていません。
    .next = 1 分ほど待ってから、もう一度操作してください。何度も出るときは「箱の状態」のページをご覧ください。
staff-store-disk_full = ディスクがいっぱいです
    .means = いまの操作は記録されていません。これまでの記録は無事です。
    .next = 受付は紙で続けてください。すぐに県の窓口に電話し、「ディスクがいっぱい」と伝えてください。
staff-store-read_only = ディスクに書き込めません
    .means = いまの操作は記録されていません。これまでの記録は無事です。
    .next = 受付は紙で続けてください。「箱の状態」のページに出ている手順で対処し、ページが開かないときは県の窓口に電話してください。
staff-store-fault = ディスクの読み書きに失敗しました
    .means = いまの操作は記録されていません。受付画面で「記録しました」と出た記録は、消えていません。
    .next = 1 分ほど待って、もう一度開いてください。また出るときは、受付は紙で続け、箱の電源は切らずに、すぐに県の窓口に電話して「ディスクのエラー」と伝えてください。
