## The System portal's answers: who may call.
## $header (text): the name of a request header.

system-unauthorized = トークンが無効か、有効期限が切れています
system-header-missing = 必須ヘッダーがありません：{ $header }
system-header-invalid = ヘッダーが無効です：{ $header }
system-client-hash-mismatch = 認証リクエストのコンテキストが現在のセッションと一致しません
system-account-suspended = アカウントは利用停止中です
system-account-locked = アカウントはロックされています
system-account-pending = アカウントは承認待ちです
system-account-rejected = アカウントは却下されました
system-access-denied = アクセスが拒否されました

## The System portal's answers: what may be asked for.

system-content-type = サポートされていないコンテンツタイプです
system-method-not-allowed = 許可されていないメソッドです
system-not-found = リソースが見つかりません
system-body-malformed = リクエスト本文がないか、形式が正しくありません
system-body-too-large = リクエスト本文が大きすぎます
system-parameters-invalid = リクエストパラメーターが無効です

## The System portal's answers: encrypted bodies.

system-channel-payload = セキュアチャネルのペイロードが無効です
system-channel-session = セキュアチャネルのセッションが見つかりません
system-channel-key-id = RSA キー ID が無効か、有効期限が切れています
system-channel-session-keys = セッションキーを復号できませんでした
system-channel-public-key = 公開鍵を取得できませんでした

## The System portal's answers: what is wrong with one parameter. `size` is the parameter's name, never translated.
## $max (number): the largest size allowed.

system-size = size は 0 以上 { $max } 以下である必要があります
system-not-text = 文字列である必要があります
system-control-characters = 制御文字を含めることはできません

## The System portal's answers: what the server could not do.

system-timeout = リクエストがタイムアウトしました
system-too-many-requests = リクエストが多すぎます
system-unavailable = サービスは一時的に利用できません

## Labels of the portal an account belongs to.

portal-system = システム
portal-tenant = テナント
portal-partner = パートナー
portal-consumer = コンシューマー

## Labels of an account's status.

status-active = 有効
status-pending-approval = 承認待ち
status-rejected = 却下
status-locked = ロック中
status-suspended = 利用停止中
status-closed = 閉鎖済み

## Messages that carry a one-time code, which follows the first text.
## $number (number): how many minutes or seconds, at least two.

code-subject = 認証コードのお知らせ
code-login = ログイン用の認証コード：
code-signup = 新規登録用の認証コード：
code-new-address = この連絡先を確認するための認証コード：
code-reset-password = パスワード再設定用の認証コード：
code-valid-minutes = 有効期間は { $number } 分です。
code-valid-seconds = 有効期間は { $number } 秒です。
code-warning = 他人に教えないでください。お心当たりがない場合は、このメッセージを無視してください。

## Notices to an address that was taken off an account. Each says all that its reader needs.

notice-email-subject = メールアドレスが解除されました
notice-email = このメールアドレスは、お客様のアカウントの確認済みアドレスではなくなりました。
notice-phone = この電話番号は、お客様のアカウントの確認済み番号ではなくなりました。
notice-advice = お心当たりがない場合は、サービスの運営者にご連絡ください。
