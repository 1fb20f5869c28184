## The System portal's answers: who may call.
## $header (text): the name of a request header.

system-unauthorized = 權杖無效或已過期
system-header-missing = 缺少必要的請求標頭：{ $header }
system-header-invalid = 請求標頭無效：{ $header }
system-client-hash-mismatch = 身份驗證請求的上下文與目前的工作階段不符
system-account-suspended = 帳戶已被暫停使用
system-account-locked = 帳戶已被鎖定
system-account-pending = 帳戶正在等待審批
system-account-rejected = 帳戶未通過審批
system-access-denied = 拒絕存取

## The System portal's answers: what may be asked for.

system-content-type = 不支援的內容類型
system-method-not-allowed = 不允許使用此請求方法
system-not-found = 找不到資源
system-body-malformed = 缺少請求本文或其格式錯誤
system-body-too-large = 請求本文過大
system-parameters-invalid = 請求參數無效

## The System portal's answers: encrypted bodies.

system-channel-payload = 安全通道承載內容無效
system-channel-session = 找不到安全通道工作階段
system-channel-key-id = RSA 金鑰 ID 無效或已過期
system-channel-session-keys = 工作階段金鑰解密失敗
system-channel-public-key = 取得公開金鑰失敗

## The System portal's answers: what is wrong with one parameter. `size` is the parameter's name, never translated.
## $max (number): the largest size allowed.

system-size = size 必須介於 0 到 { $max } 之間
system-not-text = 必須是字串
system-control-characters = 不得包含控制字元

## The System portal's answers: what the server could not do.

system-timeout = 請求逾時
system-too-many-requests = 請求過於頻繁
system-unavailable = 服務暫時無法使用

## Labels of the portal an account belongs to.

portal-system = 系統
portal-tenant = 租戶
portal-partner = 合作夥伴
portal-consumer = 消費者

## Labels of an account's status.

status-active = 活躍
status-pending-approval = 待審批
status-rejected = 未通過
status-locked = 已鎖定
status-suspended = 已暫停
status-closed = 已關閉

## Messages that carry a one-time code, which follows the first text.
## $number (number): how many minutes or seconds, at least two.

code-subject = 您的驗證碼
code-login = 您的登入驗證碼：
code-signup = 您的註冊驗證碼：
code-new-address = 用於確認此地址的驗證碼：
code-reset-password = 您的密碼重設驗證碼：
code-valid-minutes = 有效期限 { $number } 分鐘。
code-valid-seconds = 有效期限 { $number } 秒。
code-warning = 請勿告知他人。若非您本人操作，請忽略此訊息。

## Notices to an address that was taken off an account. Each says all that its reader needs.

notice-email-subject = 您的電子郵件地址已被移除
notice-email = 此電子郵件地址不再是您帳戶的已驗證地址。
notice-phone = 此手機號碼不再是您帳戶的已驗證號碼。
notice-advice = 若非您本人操作，請聯絡服務提供者。
