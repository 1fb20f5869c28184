//! A server of `selfsame dev`, as third-party programs use it.

use serde_json::Value;

use super::Installation;
use super::program::Running;

/// A demo server and the JSON that it printed.
pub(crate) struct Demo {
    program: Running,
    /// The one line of `--json`.
    pub(crate) printed: String,
}

impl Demo {
    pub(crate) fn start(installation: &Installation) -> Demo {
        let mut program = installation.spawn(&["dev", "--json", "--listen", "127.0.0.1:0"]);
        let printed = program.output.wait_for(|_| true);
        Demo { program, printed }
    }

    /// A text in the JSON.
    pub(crate) fn text(&self, pointer: &str) -> String {
        let printed: Value = serde_json::from_str(&self.printed).unwrap();
        printed.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()
    }

    pub(crate) fn stop(self) {
        self.program.terminate();
        assert_eq!(self.program.end().code, Some(0));
    }
}
