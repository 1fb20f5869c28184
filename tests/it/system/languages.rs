//! Every message in every language, as `Accept-Language` requests it.

use selfsame::account::{Portal, Status};

use super::{AuthenticatedPerson, DEVICE, PROFILE, UPDATE, admin};
use crate::support::{Answer, Database, Request, Server, Wire};

/// The supported languages.
const LANGUAGES: [&str; 5] = ["en", "zh", "zh-Hant", "ja", "vi"];

/// The status, language headers and body of a response.
fn line(answer: &Answer) -> String {
    let (language, vary) = (answer.header("content-language"), answer.header("vary"));
    format!("{} | {language} | {vary} | {}", answer.status.as_u16(), answer.body)
}

/// Sends a request in every language.
async fn in_every_language(request: impl Fn() -> Request) -> String {
    let mut lines = Vec::new();
    for language in LANGUAGES {
        lines.push(line(&request().header("Accept-Language", language).send().await));
    }
    lines.join("\n")
}

/// Begins a read.
fn read(admin: &AuthenticatedPerson<'_>) -> Request {
    admin.request("GET", PROFILE)
}

on_both_databases!(
    async fn a_profile_has_labels_in_every_language_and_its_message_in_one(server: Server) {
        let admin = admin(&server).await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        200 | en | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | zh | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"系统"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"活跃"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | zh-Hant | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"系統"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"活躍"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | ja | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"システム"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"有効"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | vi | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"Hệ thống"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Đang hoạt động"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
        let update = || admin.request("POST", UPDATE).json(r#"{"defaultLanguage":"vi"}"#);
        insta::assert_snapshot!(in_every_language(update).await, @r#"
        200 | en | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"vi","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | zh | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"系统"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"活跃"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"vi","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | zh-Hant | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"系統"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"活躍"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"vi","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | ja | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"システム"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"有効"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"vi","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        200 | vi | Accept-Language | {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"Hệ thống"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Đang hoạt động"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"vi","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
    }
);

on_both_databases!(
    async fn the_header_alone_decides_on_the_language(server: Server) {
        let admin = admin(&server).await;
        let ask = async |header: &str| read(&admin).header("Accept-Language", header).send().await;
        let mut lines = vec![format!("(absent): {}", read(&admin).send().await.header("content-language"))];
        for header in [
            "",
            "en",
            "zh",
            "zh-Hant",
            "ja",
            "vi",
            "fr",
            "*",
            "zh-TW",
            "zh-HK",
            "zh-CN",
            "ja;q=0.9, zh;q=1",
            "en;q=0",
            "ja-JP",
            "en-GB, ja;q=0.9",
            "vi;q=0.1, fr",
            "ZH-hant",
            "garbage; ; q=,,",
            "ja_JP",
            "yue-HK",
            "cmn-Hant-TW",
            "zh_TW",
            "en, ja;q=.9",
            "fr, ja;q=.9",
        ] {
            let answer = ask(header).await;
            let label = answer.json()["data"]["accountPortal"]["label"].clone();
            lines.push(format!("{header}: {} {label}", answer.header("content-language")));
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        (absent): en
        : en "System"
        en: en "System"
        zh: zh "系统"
        zh-Hant: zh-Hant "系統"
        ja: ja "システム"
        vi: vi "Hệ thống"
        fr: en "System"
        *: en "System"
        zh-TW: zh-Hant "系統"
        zh-HK: zh-Hant "系統"
        zh-CN: zh "系统"
        ja;q=0.9, zh;q=1: zh "系统"
        en;q=0: en "System"
        ja-JP: ja "システム"
        en-GB, ja;q=0.9: en "System"
        vi;q=0.1, fr: vi "Hệ thống"
        ZH-hant: zh-Hant "系統"
        garbage; ; q=,,: en "System"
        ja_JP: ja "システム"
        yue-HK: zh-Hant "系統"
        cmn-Hant-TW: zh-Hant "系統"
        zh_TW: zh-Hant "系統"
        en, ja;q=.9: en "System"
        fr, ja;q=.9: ja "システム"
        "#);
        admin.update(r#"{"defaultLanguage":"ja"}"#).await;
        assert_eq!(read(&admin).send().await.header("content-language"), "en");
    }
);

on_both_databases!(
    async fn several_lines_of_accept_language_read_as_one(server: Server) {
        let admin = admin(&server).await;
        let request = read(&admin).header("Accept-Language", "fr, ja;q=0.5").header("Accept-Language", "vi;q=0.8");
        assert_eq!(request.send().await.header("content-language"), "vi");
    }
);

on_both_databases!(
    async fn missing_and_invalid_tokens_are_refused_in_every_language(server: Server) {
        insta::assert_snapshot!(in_every_language(|| server.request("GET", PROFILE)).await, @r#"
        401 | en | Accept-Language | {"success":false,"code":"4010","message":"Invalid or expired token"}
        401 | zh | Accept-Language | {"success":false,"code":"4010","message":"令牌无效或已过期"}
        401 | zh-Hant | Accept-Language | {"success":false,"code":"4010","message":"權杖無效或已過期"}
        401 | ja | Accept-Language | {"success":false,"code":"4010","message":"トークンが無効か、有効期限が切れています"}
        401 | vi | Accept-Language | {"success":false,"code":"4010","message":"Token không hợp lệ hoặc đã hết hạn"}
        "#);
        insta::assert_snapshot!(in_every_language(|| server.request("GET", PROFILE).bearer("x")).await, @r#"
        401 | en | Accept-Language | {"success":false,"code":"4010","message":"Invalid or expired token"}
        401 | zh | Accept-Language | {"success":false,"code":"4010","message":"令牌无效或已过期"}
        401 | zh-Hant | Accept-Language | {"success":false,"code":"4010","message":"權杖無效或已過期"}
        401 | ja | Accept-Language | {"success":false,"code":"4010","message":"トークンが無効か、有効期限が切れています"}
        401 | vi | Accept-Language | {"success":false,"code":"4010","message":"Token không hợp lệ hoặc đã hết hạn"}
        "#);
    }
);

on_both_databases!(
    async fn client_hash_errors_are_rendered_in_every_language(server: Server) {
        let admin = admin(&server).await;
        assert_eq!(admin.read().await.status, 200);
        let with = |hash: &'static str| {
            let (server, token) = (&server, &admin.token);
            move || server.request("GET", PROFILE).bearer(token).header("X-Client-Hash", hash)
        };
        insta::assert_snapshot!(in_every_language(with("")).await, @r#"
        400 | en | Accept-Language | {"success":false,"code":"4000","message":"Missing required header: X-Client-Hash"}
        400 | zh | Accept-Language | {"success":false,"code":"4000","message":"缺少必需的请求头：X-Client-Hash"}
        400 | zh-Hant | Accept-Language | {"success":false,"code":"4000","message":"缺少必要的請求標頭：X-Client-Hash"}
        400 | ja | Accept-Language | {"success":false,"code":"4000","message":"必須ヘッダーがありません：X-Client-Hash"}
        400 | vi | Accept-Language | {"success":false,"code":"4000","message":"Thiếu tiêu đề HTTP bắt buộc: X-Client-Hash"}
        "#);
        insta::assert_snapshot!(in_every_language(with("a\tb")).await, @r#"
        400 | en | Accept-Language | {"success":false,"code":"4000","message":"Invalid header: X-Client-Hash"}
        400 | zh | Accept-Language | {"success":false,"code":"4000","message":"请求头无效：X-Client-Hash"}
        400 | zh-Hant | Accept-Language | {"success":false,"code":"4000","message":"請求標頭無效：X-Client-Hash"}
        400 | ja | Accept-Language | {"success":false,"code":"4000","message":"ヘッダーが無効です：X-Client-Hash"}
        400 | vi | Accept-Language | {"success":false,"code":"4000","message":"Tiêu đề HTTP không hợp lệ: X-Client-Hash"}
        "#);
        insta::assert_snapshot!(in_every_language(with("d2")).await, @r#"
        403 | en | Accept-Language | {"success":false,"code":"4030","message":"Authentication request context does not match the active session"}
        403 | zh | Accept-Language | {"success":false,"code":"4030","message":"身份验证请求的上下文与当前会话不匹配"}
        403 | zh-Hant | Accept-Language | {"success":false,"code":"4030","message":"身份驗證請求的上下文與目前的工作階段不符"}
        403 | ja | Accept-Language | {"success":false,"code":"4030","message":"認証リクエストのコンテキストが現在のセッションと一致しません"}
        403 | vi | Accept-Language | {"success":false,"code":"4030","message":"Ngữ cảnh của yêu cầu xác thực không khớp với phiên đang hoạt động"}
        "#);
    }
);

on_both_databases!(
    async fn account_errors_are_rendered_in_every_language(server: Server) {
        let admin = admin(&server).await;
        let set = async |status| admin.operate(|patch| patch.status = Some(status)).await;
        set(Status::Suspended).await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        403 | en | Accept-Language | {"success":false,"code":"4030","message":"Account is suspended"}
        403 | zh | Accept-Language | {"success":false,"code":"4030","message":"账户已被暂停使用"}
        403 | zh-Hant | Accept-Language | {"success":false,"code":"4030","message":"帳戶已被暫停使用"}
        403 | ja | Accept-Language | {"success":false,"code":"4030","message":"アカウントは利用停止中です"}
        403 | vi | Accept-Language | {"success":false,"code":"4030","message":"Tài khoản đã bị tạm ngưng"}
        "#);
        set(Status::Locked).await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        403 | en | Accept-Language | {"success":false,"code":"4030","message":"Account is locked"}
        403 | zh | Accept-Language | {"success":false,"code":"4030","message":"账户已被锁定"}
        403 | zh-Hant | Accept-Language | {"success":false,"code":"4030","message":"帳戶已被鎖定"}
        403 | ja | Accept-Language | {"success":false,"code":"4030","message":"アカウントはロックされています"}
        403 | vi | Accept-Language | {"success":false,"code":"4030","message":"Tài khoản đã bị khóa"}
        "#);
        set(Status::PendingApproval).await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        403 | en | Accept-Language | {"success":false,"code":"4030","message":"Account is pending approval"}
        403 | zh | Accept-Language | {"success":false,"code":"4030","message":"账户正在等待审批"}
        403 | zh-Hant | Accept-Language | {"success":false,"code":"4030","message":"帳戶正在等待審批"}
        403 | ja | Accept-Language | {"success":false,"code":"4030","message":"アカウントは承認待ちです"}
        403 | vi | Accept-Language | {"success":false,"code":"4030","message":"Tài khoản đang chờ phê duyệt"}
        "#);
        set(Status::Rejected).await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        403 | en | Accept-Language | {"success":false,"code":"4030","message":"Account is rejected"}
        403 | zh | Accept-Language | {"success":false,"code":"4030","message":"账户未通过审批"}
        403 | zh-Hant | Accept-Language | {"success":false,"code":"4030","message":"帳戶未通過審批"}
        403 | ja | Accept-Language | {"success":false,"code":"4030","message":"アカウントは却下されました"}
        403 | vi | Accept-Language | {"success":false,"code":"4030","message":"Tài khoản đã bị từ chối"}
        "#);
        set(Status::Active).await;
        admin.operate(|patch| patch.portal = Some(Portal::Partner)).await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        403 | en | Accept-Language | {"success":false,"code":"4030","message":"Access denied"}
        403 | zh | Accept-Language | {"success":false,"code":"4030","message":"拒绝访问"}
        403 | zh-Hant | Accept-Language | {"success":false,"code":"4030","message":"拒絕存取"}
        403 | ja | Accept-Language | {"success":false,"code":"4030","message":"アクセスが拒否されました"}
        403 | vi | Accept-Language | {"success":false,"code":"4030","message":"Quyền truy cập bị từ chối"}
        "#);
    }
);

on_both_databases!(
    async fn unknown_paths_and_methods_are_refused_in_every_language(server: Server) {
        insta::assert_snapshot!(in_every_language(|| server.request("GET", "/web/v1/system/x")).await, @r#"
        404 | en | Accept-Language | {"success":false,"code":"4040","message":"Resource not found"}
        404 | zh | Accept-Language | {"success":false,"code":"4040","message":"未找到资源"}
        404 | zh-Hant | Accept-Language | {"success":false,"code":"4040","message":"找不到資源"}
        404 | ja | Accept-Language | {"success":false,"code":"4040","message":"リソースが見つかりません"}
        404 | vi | Accept-Language | {"success":false,"code":"4040","message":"Không tìm thấy tài nguyên"}
        "#);
        insta::assert_snapshot!(in_every_language(|| server.request("PUT", PROFILE)).await, @r#"
        405 | en | Accept-Language | {"success":false,"code":"4050","message":"Method not allowed"}
        405 | zh | Accept-Language | {"success":false,"code":"4050","message":"不允许使用此请求方法"}
        405 | zh-Hant | Accept-Language | {"success":false,"code":"4050","message":"不允許使用此請求方法"}
        405 | ja | Accept-Language | {"success":false,"code":"4050","message":"許可されていないメソッドです"}
        405 | vi | Accept-Language | {"success":false,"code":"4050","message":"Phương thức không được phép"}
        "#);
    }
);

on_both_databases!(
    async fn body_errors_are_rendered_in_every_language(server: Server) {
        let admin = admin(&server).await;
        let post = || admin.request("POST", UPDATE);
        insta::assert_snapshot!(in_every_language(|| post().body("{}")).await, @r#"
        415 | en | Accept-Language | {"success":false,"code":"4150","message":"Unsupported content type"}
        415 | zh | Accept-Language | {"success":false,"code":"4150","message":"不支持的内容类型"}
        415 | zh-Hant | Accept-Language | {"success":false,"code":"4150","message":"不支援的內容類型"}
        415 | ja | Accept-Language | {"success":false,"code":"4150","message":"サポートされていないコンテンツタイプです"}
        415 | vi | Accept-Language | {"success":false,"code":"4150","message":"Loại nội dung không được hỗ trợ"}
        "#);
        insta::assert_snapshot!(in_every_language(|| post().header("Content-Encoding", "gzip").json("{}")).await, @r#"
        415 | en | Accept-Language | {"success":false,"code":"4150","message":"Unsupported content type"}
        415 | zh | Accept-Language | {"success":false,"code":"4150","message":"不支持的内容类型"}
        415 | zh-Hant | Accept-Language | {"success":false,"code":"4150","message":"不支援的內容類型"}
        415 | ja | Accept-Language | {"success":false,"code":"4150","message":"サポートされていないコンテンツタイプです"}
        415 | vi | Accept-Language | {"success":false,"code":"4150","message":"Loại nội dung không được hỗ trợ"}
        "#);
        insta::assert_snapshot!(in_every_language(|| post().json("{")).await, @r#"
        400 | en | Accept-Language | {"success":false,"code":"4000","message":"Request body is missing or malformed"}
        400 | zh | Accept-Language | {"success":false,"code":"4000","message":"请求正文缺失或格式错误"}
        400 | zh-Hant | Accept-Language | {"success":false,"code":"4000","message":"缺少請求本文或其格式錯誤"}
        400 | ja | Accept-Language | {"success":false,"code":"4000","message":"リクエスト本文がないか、形式が正しくありません"}
        400 | vi | Accept-Language | {"success":false,"code":"4000","message":"Nội dung yêu cầu bị thiếu hoặc không đúng định dạng"}
        "#);
        insta::assert_snapshot!(in_every_language(|| post().json(" ".repeat(64 * 1024 + 1))).await, @r#"
        413 | en | Accept-Language | {"success":false,"code":"4130","message":"Request body is too large"}
        413 | zh | Accept-Language | {"success":false,"code":"4130","message":"请求正文过大"}
        413 | zh-Hant | Accept-Language | {"success":false,"code":"4130","message":"請求本文過大"}
        413 | ja | Accept-Language | {"success":false,"code":"4130","message":"リクエスト本文が大きすぎます"}
        413 | vi | Accept-Language | {"success":false,"code":"4130","message":"Nội dung yêu cầu quá lớn"}
        "#);
    }
);

on_both_databases!(
    async fn field_errors_are_rendered_in_every_language(server: Server) {
        let admin = admin(&server).await;
        let body = serde_json::json!({
            "accountName": "x".repeat(127),
            "accountPhone": 7,
            "defaultLanguage": "\0",
            "defaultTimezone": "x".repeat(51),
            "defaultCountry": "\0".repeat(11),
        });
        insta::assert_snapshot!(in_every_language(|| admin.request("POST", UPDATE).json(body.to_string())).await, @r#"
        400 | en | Accept-Language | {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["size must be between 0 and 126"],"accountPhone":["must be a string"],"defaultLanguage":["must not contain control characters"],"defaultTimezone":["size must be between 0 and 50"],"defaultCountry":["size must be between 0 and 10","must not contain control characters"]}}
        400 | zh | Accept-Language | {"success":false,"code":"4000","message":"请求参数无效","data":{"accountName":["size 必须在 0 到 126 之间"],"accountPhone":["必须是字符串"],"defaultLanguage":["不得包含控制字符"],"defaultTimezone":["size 必须在 0 到 50 之间"],"defaultCountry":["size 必须在 0 到 10 之间","不得包含控制字符"]}}
        400 | zh-Hant | Accept-Language | {"success":false,"code":"4000","message":"請求參數無效","data":{"accountName":["size 必須介於 0 到 126 之間"],"accountPhone":["必須是字串"],"defaultLanguage":["不得包含控制字元"],"defaultTimezone":["size 必須介於 0 到 50 之間"],"defaultCountry":["size 必須介於 0 到 10 之間","不得包含控制字元"]}}
        400 | ja | Accept-Language | {"success":false,"code":"4000","message":"リクエストパラメーターが無効です","data":{"accountName":["size は 0 以上 126 以下である必要があります"],"accountPhone":["文字列である必要があります"],"defaultLanguage":["制御文字を含めることはできません"],"defaultTimezone":["size は 0 以上 50 以下である必要があります"],"defaultCountry":["size は 0 以上 10 以下である必要があります","制御文字を含めることはできません"]}}
        400 | vi | Accept-Language | {"success":false,"code":"4000","message":"Tham số yêu cầu không hợp lệ","data":{"accountName":["size phải nằm trong khoảng từ 0 đến 126"],"accountPhone":["phải là chuỗi ký tự"],"defaultLanguage":["không được chứa ký tự điều khiển"],"defaultTimezone":["size phải nằm trong khoảng từ 0 đến 50"],"defaultCountry":["size phải nằm trong khoảng từ 0 đến 10","không được chứa ký tự điều khiển"]}}
        "#);
    }
);

/// Begins an update whose body never arrives, and returns when the server waits for the body.
async fn begin_endless_update(admin: &AuthenticatedPerson<'_>, language: &str) -> Wire {
    let mut wire = Wire::connect(admin.server).await;
    wire.send(format!(
        "POST {UPDATE} HTTP/1.1\r\nHost: selfsame\r\nAuthorization: Bearer {}\r\nX-Client-Hash: {DEVICE}\r\n\
         Accept-Language: {language}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        admin.token
    ))
    .await;
    wire.wait_for_continue().await;
    wire
}

on_both_databases!(
    async fn a_busy_server_refuses_in_every_language(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__MAX_REQUESTS", "1")]).await;
        let admin = admin(&server).await;
        let _in_flight = begin_endless_update(&admin, "en").await;
        insta::assert_snapshot!(in_every_language(|| read(&admin)).await, @r#"
        503 | en | Accept-Language | {"success":false,"code":"5030","message":"Service temporarily unavailable"}
        503 | zh | Accept-Language | {"success":false,"code":"5030","message":"服务暂时不可用"}
        503 | zh-Hant | Accept-Language | {"success":false,"code":"5030","message":"服務暫時無法使用"}
        503 | ja | Accept-Language | {"success":false,"code":"5030","message":"サービスは一時的に利用できません"}
        503 | vi | Accept-Language | {"success":false,"code":"5030","message":"Dịch vụ tạm thời không khả dụng"}
        "#);
        insta::assert_snapshot!(read(&admin).send().await, @r#"
        503 Service Unavailable
        content-language: en
        content-type: application/json
        retry-after: 1
        vary: Accept-Language

        {"success":false,"code":"5030","message":"Service temporarily unavailable"}
        "#);
    }
);

on_both_databases!(
    async fn a_body_that_takes_too_long_is_refused_in_every_language(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__BODY_TIMEOUT", "100ms")]).await;
        let admin = admin(&server).await;
        let mut lines = Vec::new();
        for language in LANGUAGES {
            lines.push(line(&begin_endless_update(&admin, language).await.answer().await));
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        408 | en | Accept-Language | {"success":false,"code":"4080","message":"Request timeout"}
        408 | zh | Accept-Language | {"success":false,"code":"4080","message":"请求超时"}
        408 | zh-Hant | Accept-Language | {"success":false,"code":"4080","message":"請求逾時"}
        408 | ja | Accept-Language | {"success":false,"code":"4080","message":"リクエストがタイムアウトしました"}
        408 | vi | Accept-Language | {"success":false,"code":"4080","message":"Yêu cầu đã hết thời gian chờ"}
        "#);
        insta::assert_snapshot!(begin_endless_update(&admin, "en").await.answer().await, @r#"
        408 Request Timeout
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4080","message":"Request timeout"}
        "#);
    }
);
