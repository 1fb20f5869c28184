## The System portal's answers: who may call.
## $header (text): the name of a request header.

system-unauthorized = 令牌无效或已过期
system-header-missing = 缺少必需的请求头：{ $header }
system-header-invalid = 请求头无效：{ $header }
system-client-hash-mismatch = 身份验证请求的上下文与当前会话不匹配
system-account-suspended = 账户已被暂停使用
system-account-locked = 账户已被锁定
system-account-pending = 账户正在等待审批
system-account-rejected = 账户未通过审批
system-access-denied = 拒绝访问

## The System portal's answers: what may be asked for.

system-content-type = 不支持的内容类型
system-method-not-allowed = 不允许使用此请求方法
system-not-found = 未找到资源
system-body-malformed = 请求正文缺失或格式错误
system-body-too-large = 请求正文过大
system-parameters-invalid = 请求参数无效

## The System portal's answers: encrypted bodies.

system-channel-payload = 安全通道载荷无效
system-channel-session = 未找到安全通道会话
system-channel-key-id = RSA 密钥 ID 无效或已过期
system-channel-session-keys = 会话密钥解密失败
system-channel-public-key = 获取公钥失败

## The System portal's answers: what is wrong with one parameter. `size` is the parameter's name, never translated.
## $max (number): the largest size allowed.

system-size = size 必须在 0 到 { $max } 之间
system-not-text = 必须是字符串
system-control-characters = 不得包含控制字符

## The System portal's answers: what the server could not do.

system-timeout = 请求超时
system-too-many-requests = 请求过于频繁
system-unavailable = 服务暂时不可用

## Labels of the portal an account belongs to.

portal-system = 系统
portal-tenant = 租户
portal-partner = 合作伙伴
portal-consumer = 消费者

## Labels of an account's status.

status-active = 活跃
status-pending-approval = 待审批
status-rejected = 未通过
status-locked = 已锁定
status-suspended = 已暂停
status-closed = 已关闭

## Messages that carry a one-time code, which follows the first text.
## $number (number): how many minutes or seconds, at least two.

code-subject = 您的验证码
code-login = 您的登录验证码：
code-signup = 您的注册验证码：
code-new-address = 用于确认此地址的验证码：
code-reset-password = 您的密码重置验证码：
code-valid-minutes = 有效期 { $number } 分钟。
code-valid-seconds = 有效期 { $number } 秒。
code-warning = 请勿告知他人。如非本人操作，请忽略此消息。

## Notices to an address that was taken off an account. Each says all that its reader needs.

notice-email-subject = 您的电子邮箱已被移除
notice-email = 此电子邮箱不再是您账户的已验证邮箱。
notice-phone = 此手机号码不再是您账户的已验证号码。
notice-advice = 如非本人操作，请联系服务方。
