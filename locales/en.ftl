## The System portal's answers: who may call.
## $header (text): the name of a request header.

system-unauthorized = Invalid or expired token
system-header-missing = Missing required header: { $header }
system-header-invalid = Invalid header: { $header }
system-client-hash-mismatch = Authentication request context does not match the active session
system-account-suspended = Account is suspended
system-account-locked = Account is locked
system-account-pending = Account is pending approval
system-account-rejected = Account is rejected
system-access-denied = Access denied

## The System portal's answers: what may be asked for.

system-content-type = Unsupported content type
system-method-not-allowed = Method not allowed
system-not-found = Resource not found
system-body-malformed = Request body is missing or malformed
system-body-too-large = Request body is too large
system-parameters-invalid = Invalid request parameters

## The System portal's answers: encrypted bodies.

system-channel-payload = Invalid secure channel payload
system-channel-session = Secure channel session not found
system-channel-key-id = Invalid or expired RSA key ID
system-channel-session-keys = Failed to decrypt session keys
system-channel-public-key = Failed to retrieve public key

## The System portal's answers: what is wrong with one parameter. `size` is the parameter's name, never translated.
## $max (number): the largest size allowed.

system-size = size must be between 0 and { $max }
system-not-text = must be a string
system-control-characters = must not contain control characters

## The System portal's answers: what the server could not do.

system-timeout = Request timeout
system-too-many-requests = Too many requests
system-unavailable = Service temporarily unavailable

## Labels of the portal an account belongs to.

portal-system = System
portal-tenant = Tenant
portal-partner = Partner
portal-consumer = Consumer

## Labels of an account's status.

status-active = Active
status-pending-approval = Pending approval
status-rejected = Rejected
status-locked = Locked
status-suspended = Suspended
status-closed = Closed

## Messages that carry a one-time code, which follows the first text.
## $number (number): how many minutes or seconds, at least two.

code-subject = Your code
code-login = Your code to sign in:
code-signup = Your code to sign up:
code-new-address = Your code to confirm this address:
code-reset-password = Your code to reset your password:
code-valid-minutes = It is valid for { $number } minutes.
code-valid-seconds = It is valid for { $number } seconds.
code-warning = Do not give it to anybody. If you did not ask for it, ignore this message.

## Notices to an address that was taken off an account. Each says all that its reader needs.

notice-email-subject = Your e-mail address was removed
notice-email = This e-mail address is no longer a confirmed address of your account.
notice-phone = This phone number is no longer a confirmed number of your account.
notice-advice = If this was not you, contact the people who run the service.
