//! Histories that do not fit their account.

use selfsame::account::Field;

use super::{causes, rename, written};
use crate::support::{Log, Person, Server, Side, patch};

const SIDES: [Side; 4] = [Side::System, Side::Cl2c, Side::RiverGen, Side::Ciam];

on_both_databases!(
    async fn a_history_that_is_ahead_of_its_account_is_an_internal_error_and_nothing_is_written(server: Server) {
        let names = [(Field::GivenName, "Jane"), (Field::FamilyName, "Roe"), (Field::Email, "jane@example.com")];
        let person = Person::new(&server, patch(&names)).await;
        let ahead = "INSERT INTO history SELECT account_id, 2, at, actor, contract, request_id, commitment, link, \
                     sealing_key, payload, salt FROM history";
        server.database().execute(ahead).await;
        let before = written(&server).await;
        let mut seen = 0;
        for side in SIDES {
            let answer = rename(&person, side).await;
            assert_eq!(answer.status, 500, "{side:?}: {answer}");
            let logged = causes(&Log::of_this_test(), &mut seen);
            assert!(logged.len() == 1 && logged[0].contains("history"), "{side:?}: {logged:?}");
        }
        assert_eq!(written(&server).await, before);
    }
);
