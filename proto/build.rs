//! Compiles `proto/` without a system protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = ["common", "manifest", "journal", "raft", "storage", "compaction"]
        .map(|name| format!("proto/firn/v1/{name}.proto"));
    let set = protox::compile(files, ["proto"])?;
    prost_build::Config::new()
        .bytes(["."])
        .btree_map(["."])
        // Generated code carries the contracts' comments, which are not doctests.
        .disable_comments(["."])
        .compile_fds(set)?;
    Ok(())
}
