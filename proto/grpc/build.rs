//! Compiles the services of `proto/`; their messages are those of `firn-proto`.

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=../proto");
    let files =
        ["journal", "raft", "storage", "compaction"].map(|name| format!("firn/v1/{name}.proto"));
    let set = protox::compile(files, ["../proto"])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("firn.v1.bin"), set.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .extern_path(".firn.v1", "::firn_proto::v1")
        // Generated code carries the contracts' comments, which are not doctests.
        .disable_comments(["."])
        .compile_fds(set)?;
    Ok(())
}
