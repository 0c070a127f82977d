# Guardians at the kiosk. やさしい日本語: short sentences, spaces between phrases, readings as ｜漢字《かんじ》.
kiosk-language-name = 日本語

kiosk-waiting-title = カードを おいて ください
kiosk-waiting-text = マイナンバーカードを ここに おくと はじまります。
kiosk-waiting-number = ｜個人番号《こじんばんごう》（マイナンバー）は ｜読《よ》み｜取《と》りません。
kiosk-waiting-no-card = カードが ない ｜方《かた》

kiosk-no_card-title = ｜事務室《じむしつ》に ｜声《こえ》を かけて ください
kiosk-no_card-text = カードが なくても、｜受付《うけつけ》できます。｜係《かかり》の ｜人《ひと》が、ほかの ｜書類《しょるい》で ｜本人《ほんにん》か どうかを ｜確《たし》かめます。

kiosk-reading-title = カードを ｜見《み》て います
kiosk-reading-text = カードを ｜動《うご》かさないで ください。

kiosk-link-title = はじめての カードです
kiosk-link-text = ｜学校《がっこう》から もらった ｜紙《かみ》の ８けたの ｜番号《ばんごう》を ｜入《い》れて ください。
kiosk-link-help = ｜番号《ばんごう》の ｜紙《かみ》が ない ｜方《かた》は、「やめる」を おして、｜事務室《じむしつ》に ｜声《こえ》を かけて ください。

kiosk-statement-title = これを ｜記録《きろく》します
kiosk-statement-visit = ｜今日《きょう》 { $date } { $time }、{ $school } に ｜来《き》ました。
kiosk-statement-link = この カードを、｜私《わたし》の カードとして { $school } に ｜登録《とうろく》します。
kiosk-statement-who = { $school } と ｜県《けん》の ｜教育委員会《きょういくいいんかい》の ｜記録《きろく》に のこります。
kiosk-statement-what = カードで ｜本人《ほんにん》と ｜確《たし》かめた ことを、カードの ｜署名《しょめい》と いっしょに のこします。
kiosk-statement-more = くわしく
kiosk-statement-more-text = ｜名前《なまえ》と ｜住所《じゅうしょ》は ｜県《けん》へ ｜送《おく》りません。カードの ｜証明書《しょうめいしょ》と ｜署名《しょめい》は、｜県《けん》の ｜確認係《かくにんがかり》だけが ｜開《ひら》ける かぎを かけて ｜送《おく》ります。｜個人番号《こじんばんごう》は ｜使《つか》いません。
kiosk-statement-agree = はい、｜記録《きろく》する
kiosk-statement-decline = いいえ、やめる

kiosk-pin-title = ４けたの ｜暗証番号《あんしょうばんごう》
kiosk-pin-text = カードを もらった ｜時《とき》に ｜決《き》めた、｜数字《すうじ》 ４つです。
kiosk-pin-phone = スマートフォンの マイナンバーカードは、｜先《さき》に ｜数字《すうじ》 ４つを ｜入《い》れます。まだ なにも ｜記録《きろく》しません。
kiosk-pin-tries = あと { $tries }｜回《かい》 ｜入《い》れられます。
kiosk-pin-tries-one = これが ｜最後《さいご》の １｜回《かい》です。
kiosk-pin-forgot = わからない ｜方《かた》は、「やめる」を おして、｜事務室《じむしつ》に ｜声《こえ》を かけて ください。
kiosk-pad-delete = １つ ｜消《け》す
kiosk-pad-clear = ぜんぶ ｜消《け》す
kiosk-pad-enter = ｜決定《けってい》
kiosk-pad-filled = { $count }｜個《こ》 ｜入《はい》りました

kiosk-last_try-title = あと １｜回《かい》だけです
kiosk-last_try-text = つぎも ちがうと、この カードの ｜暗証番号《あんしょうばんごう》は ｜使《つか》えなく なります。
kiosk-last_try-cure = ｜使《つか》えなく なったら、｜市区町村《しくちょうそん》の ｜窓口《まどぐち》で なおして もらえます。
kiosk-last_try-yes = もう １｜回《かい》 ｜入《い》れる
kiosk-last_try-no = ｜今日《きょう》は やめる

kiosk-opening-title = ｜番号《ばんごう》を ｜確《たし》かめて います
kiosk-opening-text = スマートフォンを ｜動《うご》かさないで ください。
kiosk-signing-title = ｜記録《きろく》して います
kiosk-signing-text = カードを ｜動《うご》かさないで ください。
kiosk-signing-slow = いつもより すこし ｜時間《じかん》が かかって います。そのまま お｜待《ま》ち ください。

kiosk-done-title = ｜記録《きろく》しました
kiosk-done-number = ｜受付番号《うけつけばんごう》 { $number }
kiosk-done-confirmed = ｜県《けん》の ｜教育委員会《きょういくいいんかい》に とどきました。
kiosk-done-pending = ｜回線《かいせん》が つながった ときに、｜県《けん》の ｜教育委員会《きょういくいいんかい》へ とどきます。｜待《ま》たなくて だいじょうぶです。
kiosk-done-receipt = ひかえが ほしい ｜方《かた》は、この ｜絵《え》を ｜写真《しゃしん》に とって ください。
kiosk-done-take = カードを お｜取《と》り ください

kiosk-take_card-title = カードを お｜取《と》り ください
kiosk-take_card-text = カードが ｜置《お》いて あります。
kiosk-take_card-again = もう ｜一度《いちど》 はじめる

kiosk-problem-back = はじめに もどる
kiosk-problem-code = ｜係《かかり》の ｜人《ひと》に ｜見《み》せる ｜番号《ばんごう》: { $code }

kiosk-warning-title = まだ ｜使《つか》いますか？
kiosk-warning-text = なにも おさないと、もうすぐ はじめの ｜画面《がめん》に もどります。なにも ｜記録《きろく》されません。
kiosk-warning-yes = はい、｜続《つづ》ける

kiosk-cancel = やめる
kiosk-staff = ｜困《こま》ったら、｜先生《せんせい》か ｜事務室《じむしつ》に ｜声《こえ》を かけて ください。
kiosk-step = { $total }つの うち { $step }つめ
kiosk-offline-page = ｜画面《がめん》の ｜準備《じゅんび》を して います。すこし お｜待《ま》ち ください。
