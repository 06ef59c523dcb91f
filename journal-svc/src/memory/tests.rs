use super::*;
use crate::conformance::{Subject, run};
use firn_engine::Env;
use futures::FutureExt;

struct Memory(MemoryJournal);

#[async_trait]
impl Subject for Memory {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.0.clone())
    }

    async fn crash(&mut self) {}

    fn fail_next_append(&mut self, branch: &BranchName, fault: AppendFault) -> bool {
        self.0.fail_next_append(branch, fault);
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_conforms() {
    let handle = tokio::runtime::Handle::current();
    let env = Env::tokio(handle.clone(), handle);
    let fresh = || async { Box::new(Memory(MemoryJournal::default())) as Box<dyn Subject> }.boxed();
    run(&env, &fresh, 20).await;
}
