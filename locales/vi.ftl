## The System portal's answers: who may call.
## $header (text): the name of a request header.

system-unauthorized = Token không hợp lệ hoặc đã hết hạn
system-header-missing = Thiếu tiêu đề HTTP bắt buộc: { $header }
system-header-invalid = Tiêu đề HTTP không hợp lệ: { $header }
system-client-hash-mismatch = Ngữ cảnh của yêu cầu xác thực không khớp với phiên đang hoạt động
system-account-suspended = Tài khoản đã bị tạm ngưng
system-account-locked = Tài khoản đã bị khóa
system-account-pending = Tài khoản đang chờ phê duyệt
system-account-rejected = Tài khoản đã bị từ chối
system-access-denied = Quyền truy cập bị từ chối

## The System portal's answers: what may be asked for.

system-content-type = Loại nội dung không được hỗ trợ
system-method-not-allowed = Phương thức không được phép
system-not-found = Không tìm thấy tài nguyên
system-body-malformed = Nội dung yêu cầu bị thiếu hoặc không đúng định dạng
system-body-too-large = Nội dung yêu cầu quá lớn
system-parameters-invalid = Tham số yêu cầu không hợp lệ

## The System portal's answers: encrypted bodies.

system-channel-payload = Dữ liệu kênh bảo mật không hợp lệ
system-channel-session = Không tìm thấy phiên kênh bảo mật
system-channel-key-id = ID khóa RSA không hợp lệ hoặc đã hết hạn
system-channel-session-keys = Không thể giải mã khóa phiên
system-channel-public-key = Không thể lấy khóa công khai

## The System portal's answers: what is wrong with one parameter. `size` is the parameter's name, never translated.
## $max (number): the largest size allowed.

system-size = size phải nằm trong khoảng từ 0 đến { $max }
system-not-text = phải là chuỗi ký tự
system-control-characters = không được chứa ký tự điều khiển

## The System portal's answers: what the server could not do.

system-timeout = Yêu cầu đã hết thời gian chờ
system-too-many-requests = Quá nhiều yêu cầu
system-unavailable = Dịch vụ tạm thời không khả dụng

## Labels of the portal an account belongs to.

portal-system = Hệ thống
portal-tenant = Bên thuê
portal-partner = Đối tác
portal-consumer = Người tiêu dùng

## Labels of an account's status.

status-active = Đang hoạt động
status-pending-approval = Đang chờ phê duyệt
status-rejected = Đã bị từ chối
status-locked = Đã bị khóa
status-suspended = Đã bị tạm ngưng
status-closed = Đã đóng

## Messages that carry a one-time code, which follows the first text.
## $number (number): how many minutes or seconds, at least two.

code-subject = Mã xác thực của bạn
code-login = Mã đăng nhập của bạn:
code-signup = Mã đăng ký của bạn:
code-new-address = Mã xác nhận địa chỉ này của bạn:
code-reset-password = Mã đặt lại mật khẩu của bạn:
code-valid-minutes = Mã có hiệu lực trong { $number } phút.
code-valid-seconds = Mã có hiệu lực trong { $number } giây.
code-warning = Không cung cấp mã cho bất kỳ ai. Nếu bạn không yêu cầu, hãy bỏ qua tin nhắn này.

## Notices to an address that was taken off an account. Each says all that its reader needs.

notice-email-subject = Địa chỉ email của bạn đã bị gỡ
notice-email = Địa chỉ email này không còn là địa chỉ đã xác nhận của tài khoản của bạn.
notice-phone = Số điện thoại này không còn là số đã xác nhận của tài khoản của bạn.
notice-advice = Nếu không phải bạn thực hiện, hãy liên hệ với đơn vị vận hành dịch vụ.
