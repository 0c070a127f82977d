# コマンドの答え。学校の情報担当、県の担当者、設置する人が読む。
cli-init-done = { $name }（{ $school }）の箱を作りました。
    管理者: { $admin }
cli-init-password = パスワード: { $password }
    このパスワードはもう表示されません。書きとめて、安全な所に保管してください。
cli-staff-none = アカウントはまだありません。
cli-staff-password-set = アカウント { $account } のパスワードを新しくしました。前のパスワードは、もう使えません。このアカウントでサインインしていた画面も、サインインし直すまで使えません。
cli-migrate-none = データベースは最新です。
cli-migrate-generation = データベースは、箱の鍵を替える前の古い写しに戻されていました。台帳は新しい世代（{ $origin }）で続きます。これまでの記録は残っています。県のハブには、次につながったときに伝わります。

cli-keys-rewriting = データベースを書き直しています: { $percent } %。画面は見られますが、記録は少し待たされます。
cli-keys-rewritten = データベースは新しい鍵になりました。
cli-keys-checking = すべてのページを確かめています。
cli-keys-rotated = データベースの鍵を替えました。前の鍵ではもう何も開けません。
cli-keys-rotated-sealed = データベースは新しい鍵になりました。前の鍵の代わりに封をする仕事が残っています（appliance-admin が行います）。
cli-keys-device-rotated = 台帳に署名する鍵を替えました。{ $size } 件目の記録からは、新しい鍵 { $key_id } で署名します。前の鍵では、これから先は署名できません。
cli-keys-device-sealed = 前の鍵の代わりに封をする仕事が残っています（appliance-admin が行います）。
cli-keys-print-anew = 金庫の復旧の文字は古くなりました。appliance-admin keys print で印刷し直して、前の紙と取り替えてください。

cli-enroll-request = { $file } を県の担当者に渡してください。秘密は含まれていません。
cli-enroll-token = トークン：
cli-enroll-accepted = ハブ { $hub } に登録しました。回線がつながると送信が始まります。

cli-doctor-well = 順調です。

cli-sync-counts = 記録 { $recorded } 件 = 県が受領 { $receipted } 件 + 未着 { $pending } 件
cli-sync-line-up = 回線: つながっています
cli-sync-line-down = 回線: 切れています
cli-sync-line-none = 回線: 未登録です
cli-sync-oldest = いちばん古い未着の記録: { $at }

cli-config-none = すべて初期値のままです。
cli-config-changed = { $name } = { $now }    （初期値 { $default }）

cli-erase-due = { $count } 件の中身が、保存期間（{ $rule }）を過ぎています。
cli-erase-none = 消す中身はありません。
cli-erase-done = { $count } 件の中身を消しました。記録そのものと署名は残っています。
cli-erase-uncleaned = ほかのプログラムがデータベースを読んでいるため、作業用の控え（WAL）にまだ残っています。次の実行で消えます。

cli-ledger-good = 台帳 { $origin }
    { $count } 件。木と署名は正しいです。
cli-ledger-delivery = 県が受領 { $receipted } 件、送信待ち { $pending } 件
cli-ledger-bad = 台帳が正しくありません: { $reason }
cli-ledger-unchecked = 台帳を最後まで読めませんでした: { $reason }
cli-ledger-damage = データベースの異常: { $fault }
cli-ledger-erased-later = { $count } 件の中身は消去済みです。理由は、この箱の後の台帳に記録されています。
cli-ledger-where = {"    "}木が保存時と違う範囲: { $first } 番から { $last } 番の記録
cli-ledger-record = {"    "}問題のある記録: { $index } 番
cli-ledger-earlier = あわせて確認: 前の台帳 { $origin }、{ $count } 件
cli-ledger-mirror = あわせて確認: 県の台帳の写し { $origin }、{ $count } 件
cli-ledger-damage-more = ほかに { $count } 件の異常があります
cli-ledger-next = 次にすること: 何も変えず、何も消さず、箱の電源を入れたままにして、ここに出た内容を県の窓口に伝えてください。
cli-progress = { $percent } %（{ $done } / { $total }）
cli-seal-done = { $count } 日分に長期保存用の署名をつけました（最後の日は { $date }）。
cli-seal-none = 長期保存用の署名をつける日はありません。
cli-seal-reach = 長期保存用の署名: { $date } までの記録 { $entries } 件（署名 { $count } 個、鍵 { $key_id }）
cli-seal-nothing = 長期保存用の署名: まだありません
cli-seal-unread = 署名または鍵の中身がないため、確かめられなかった長期保存用の署名が { $count } 個あります。
cli-seal-key-unknown = 長期保存用の署名の鍵は、台帳に書かれているものです。ほかの鍵とは見くらべていません（--archive-key）。
cli-ledger-received = 受領
cli-ledger-waiting = 待ち

cli-receipt-issuer = だれの受領証か: { $origin } の受領証です。署名した鍵は登録されています（{ $key_file }）
cli-receipt-own-key = この箱の鍵
cli-receipt-issuer-claimed = だれの受領証か: 確かめられません。{ $origin } のものだと書いてあります
cli-receipt-issuer-unknown = だれの受領証か: 分かりません。{ $origin } のものだと書いてありますが、署名した鍵（番号 { $key_id }）がここに登録されていません。偽物だという意味ではありません。
    その箱の公開鍵を県の窓口からもらい、--box-key で指定してください。
cli-receipt-unchanged = 変わっていないか: 変わっていません（{ $number } { $type }）
cli-receipt-changed = 変わっていないか: 正しい受領証ではありません。作られたときから変わっているか、初めから本物ではありません。
    { $reason }
cli-receipt-unproven = 変わっていないか: 鍵がないため、確かめられません
cli-receipt-recorded = 記録した時刻: { $at }（箱の時計）
cli-receipt-confirmed = 県の受領: 受領ずみです。{ $at }（{ $hub } の時計）
cli-receipt-unconfirmed = 県の受領: この受領証を作ったときは、まだでした
cli-receipt-confirmation-unknown = 県の受領: 確かめられません。{ $hub } が受領したと書いてありますが、署名した鍵（番号 { $key_id }）がここに登録されていません

cli-evidence = { $number } の証拠を { $file } に書きました。開けるのは県の確認用の鍵だけです。
cli-auditor-key = 監査人の鍵を作りました。
    秘密の鍵: { $private }（本人だけが持ちます。だれにも渡さないでください）
    公開の鍵: { $public }（県に渡してください）

cli-export-written = { $file }: 記録 { $entries } 件、{ $bytes } バイト
cli-export-personal = 記録 { $bodies } 件の中身（個人情報）が入っています。安全なところに保管してください。
cli-export-impersonal = 記録の中身は入っていません。個人情報は含まれません。
cli-export-issuer = 書き出した箱: { $origin }（指定された鍵 { $key_id }）
cli-export-issuer-unknown = 書き出した箱: { $origin } と書いてあります（鍵 { $key_id }）。鍵が指定されていないので、確かめられていません。
cli-export-issuer-other = 書き出した箱: { $origin } と書いてありますが、指定された鍵のものではありません（鍵 { $key_id }）。ほかは確かめていません。偽物だという意味ではありません。
cli-export-unchanged = 内容: 記録 { $entries } 件、署名 { $at }（変わっていません）
cli-export-part = 台帳には、この後の記録もあります。
cli-export-confirmed = 県の受領: 最初の { $entries } 件、{ $at }（{ $hub }）
cli-export-unconfirmed = 県の受領: このファイルでは確認できません
cli-export-confirmation-unknown = 県の受領: ハブの鍵が指定されていないので、確かめていません
cli-export-bodies = 記録の中身 { $bodies } 件は記録されたときのまま、消去済み { $erased } 件
cli-export-erased-later = 消去済みのうち { $count } 件は、箱の後の台帳に、消したと記録されています。

cli-roster-imported = 名簿を取り込みました: 学級 { $classes }、児童・生徒 { $pupils }、保護者 { $guardians }、教職員 { $staff }

cli-card-good = 正しいカードです
cli-card-refused = 受け入れられません
cli-card-revocation-unknown = 失効は未確認
cli-card-tries = 暗証番号の残り回数: { $tries }
cli-card-took = 交信 { $exchanges } 回、{ $bytes } バイト、{ $ms } ミリ秒
cli-card-no-reader = リーダーなし
cli-card-service_absent = PC/SC サービス（pcscd）が応答しません
cli-card-reader_absent = カードリーダーがつながっていません
cli-card-empty = 使えます。カードはありません
cli-card-present = カードが置かれています
cli-card-mute = カードが応答しません。向きを変えるか、拭いてから置き直してください

cli-file = { $file } を使えません: { $reason }
    .means = なにも変わっていません。
    .next = ファイルの名前と、読み書きが許されているかを確かめてください。
cli-password = パスワードを読み取れません
    .means = なにも変わっていません。
    .next = --password-fd で示したファイル記述子から、UTF-8 の 1 行で渡してください。

cli-keys-prepared = 新しい鍵は次のように封じられます。
cli-keys-sealed = { $count } 個の鍵を封じました。
cli-keys-tpm = この箱の TPM とファームウェア（PCR { $pcrs }）に結びついています。
cli-keys-host = このディスクだけに結びついています。ディスクの写しを持つ人は、鍵を開けられます。
cli-keys-printed = 復旧の文字を { $file } に書きました。金庫に入れ、ファイルは消してください。
cli-keys-restored = 復旧の文字の鍵を、この機械で封じました。つぎに appliance-admin doctor を実行してください。
cli-keys-completed = 新しい鍵を作って封じました: { $names }。復旧の文字をもう一度印刷し（appliance-admin keys print）、古い紙と取りかえてください。
cli-keys-whole = 鍵はすべてそろっています。
cli-keys-paper-ends = 紙がここで終わっているときは、何も入力せずに Enter を押してください。長期保存用の鍵ができる前に印刷された紙です。鍵は新しく作られます。
cli-receipt-archive-key = 長期保存用の署名の鍵です。SHA-256: { $fingerprint }
cli-keys-paper = 窓口（まどぐち）：鍵の復旧の文字
    この紙を持つ人は、箱の記録をすべて開けられます。教育委員会の金庫に保管してください。
    復旧するときは appliance-admin keys restore を実行し、各行のコロンの後の文字を入力します。
    I・L・O・U の文字は使われていません。0 と 1 は数字です。
    学校：                         日付：

cli-backup-done = バックアップを作りました。記録 { $count } 件と、箱が持つほかのすべてです。
    { $backup }
    { $keys }
    どちらも開けるのは県だけです。バックアップはいくつ残してもかまいません。鍵のファイル（.keys）は、このいちばん新しいものだけを残してください。前のどのバックアップも、これで開きます。
    それより古い鍵のファイルは、ほかの場所の写しもすべて廃棄してください。その後に消した中身が開いてしまいます。
cli-backup-removed = このフォルダーにあった古い鍵のファイル { $count } 個を消しました。

cli-restore-request = { $file } とバックアップの 2 つのファイルを、県の担当者に渡してください。申請に秘密は含まれていません。
    申請の番号は { $number } です。すりかえを防ぐため、電話で県に読み上げてください。
cli-restore-done = 箱を復元しました。{ $previous } の記録 { $count } 件があり、正しいことを確かめました。
    新しい鍵で、台帳 { $origin } に続けて記録します。
cli-restore-erased = { $count } 件の中身は、バックアップの後に消されたものです。消えたままです。
cli-restore-next = 続けて appliance enroll request を実行してください。県は --new-generation を付けて登録します。ここに写した許可と鍵のファイルは廃棄してください。

cli-line-none = 回線は、まだ測っていません。夜のうちに、箱がひとりでに測ります。
cli-line-no-pupils = 名簿がないので、推奨される帯域はわかりません。
cli-line-recommended = 児童・生徒 { $pupils } 人の学校に、文部科学省が当面推奨する帯域: { $mbit } Mbit/s
cli-line-share = 最新の実測は、推奨の { $percent }%
cli-line-sample = { $at }    { $mbit } Mbit/s    往復 { $rtt } ミリ秒
