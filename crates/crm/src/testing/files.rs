//! Files on notes, without their content.

use std::time::Instant;

use sha2::{Digest, Sha256};

use super::{Caller, TIMEOUT, TestEnv};
use crate::business::files::tools::add::AddFile;
use crate::business::files::{Attachment, Content};
use crate::call::error::Result;
use crate::call::run::Runner;
use crate::values::clock::Environment;
use crate::values::id::{self, Id, kinds};

impl TestEnv {
    /// Adds a file to a note, as the server does once it has stored the content. It does not count as a note write, so
    /// that the samples leave the limit to the tests.
    ///
    /// # Errors
    /// The tool's error.
    ///
    /// # Panics
    /// If the content is of no type that is accepted.
    pub fn add_file(
        &self,
        caller: &Caller,
        note: &str,
        name: &str,
        content: &[u8],
    ) -> Result<Attachment> {
        let mut recognized = Content::default();
        recognized.push(content).expect("content of a type that is accepted");
        let recognized = recognized.recognize().expect("content of a type that is accepted");
        let (now, random) = (self.environment.clock.now(), self.environment.entropy.bits());
        let arguments = crate::arguments!(AddFile {
            id: Id::<kinds::File>::new(id::following(None, now, random)),
            note_id: note,
            name: name,
            media_type: recognized.media_type.word(),
            size: u64::try_from(content.len()).expect("a length"),
            sha256: data_encoding::HEXLOWER.encode(&Sha256::digest(content)),
            width: recognized.dimensions.map(|(width, _)| width),
            height: recognized.dimensions.map(|(_, height)| height),
        });
        let deadline = Instant::now() + TIMEOUT;
        let environment = Environment { note_writes_per_minute: 0, ..self.environment.clone() };
        let runner = Runner { db: &self.db, environment: &environment, deadline };
        runner.command(caller.clone(), arguments).wait()
    }
}
