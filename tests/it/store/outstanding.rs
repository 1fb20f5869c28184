//! Whether a code can still be tried, looked up by its token alone.

use selfsame::store::{CodeId, NewCode};
use uuid::Uuid;

use super::{Opened, at};

on_both_databases!(
    async fn a_code_is_outstanding_until_it_expires_or_has_no_tries_left(opened: Opened) {
        let sent = NewCode {
            code_id: CodeId { slot: [1; 32], id: Uuid::from_u128(1) },
            token: [2; 32],
            binding: [3; 32],
            code: [4; 32],
            code_expires_at: at(60),
            expires_at: at(300),
            contact: vec![5],
        };
        opened.store.put_code(&sent).await.unwrap();
        let outstanding =
            async |token, second, tries| opened.store.is_code_outstanding(token, at(second), tries).await.unwrap();
        assert!(outstanding([2; 32], 299, 5).await);
        assert!(!outstanding([9; 32], 299, 5).await);
        assert!(!outstanding([2; 32], 300, 5).await);
        for _ in 0..2 {
            assert_eq!(opened.store.count_try([1; 32], [2; 32], [3; 32], at(2), 5).await.unwrap().len(), 1);
        }
        assert!(outstanding([2; 32], 2, 3).await && !outstanding([2; 32], 2, 2).await);
        opened.store.use_code(sent.code_id).await.unwrap();
        assert!(!outstanding([2; 32], 2, 5).await);
    }
);
