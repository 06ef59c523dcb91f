//! The contracts may only grow: what is in `proto/contracts.lock` stays as it is.
//!
//! The lock file has a line for each message, field, enum value and call, with its number and
//! type. `FIRN_REWRITE=1 cargo test -p firn-grpc --test contracts` adds what is new; it takes
//! nothing away and changes nothing. Who breaks a contract on purpose deletes its lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::source_code_info::Location;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn contracts() -> FileDescriptorSet {
    let root = folder().join("proto");
    let mut files: Vec<_> = std::fs::read_dir(root.join("firn/v1"))
        .unwrap()
        .map(|entry| format!("firn/v1/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".proto"))
        .collect();
    files.sort();
    let mut compiler = protox::Compiler::new([root]).unwrap();
    compiler.include_source_info(true).open_files(files).unwrap();
    compiler.file_descriptor_set()
}

/// What the bytes on the wire, and the names that tools use, depend on.
fn lines(contracts: &FileDescriptorSet) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in &contracts.file {
        let package = file.package();
        for message in &file.message_type {
            message_lines(&format!("{package}.{}", message.name()), message, &mut lines);
        }
        for one in &file.enum_type {
            enum_lines(&format!("{package}.{}", one.name()), one, &mut lines);
        }
        for service in &file.service {
            for call in &service.method {
                let stream = |yes: bool| if yes { "stream " } else { "" };
                lines.insert(format!(
                    "call {package}.{}/{} {}{} -> {}{}",
                    service.name(),
                    call.name(),
                    stream(call.client_streaming()),
                    call.input_type(),
                    stream(call.server_streaming()),
                    call.output_type()
                ));
            }
        }
    }
    lines
}

fn message_lines(name: &str, message: &DescriptorProto, lines: &mut BTreeSet<String>) {
    lines.insert(format!("message {name}"));
    for field in &message.field {
        let mut line = format!("field {name}.{} = {} ", field.name(), field.number());
        if field.label() == Label::Repeated {
            line.push_str("repeated ");
        }
        if field.proto3_optional() {
            line.push_str("optional ");
        }
        match field.r#type() {
            Type::Message | Type::Enum => line.push_str(field.type_name()),
            plain => line.push_str(&plain.as_str_name()["TYPE_".len()..].to_lowercase()),
        }
        if let Some(index) = field.oneof_index.filter(|_| !field.proto3_optional()) {
            let group = message.oneof_decl[usize::try_from(index).unwrap()].name();
            write!(line, " one of {group}").unwrap();
        }
        lines.insert(line);
    }
    for inner in &message.nested_type {
        message_lines(&format!("{name}.{}", inner.name()), inner, lines);
    }
    for inner in &message.enum_type {
        enum_lines(&format!("{name}.{}", inner.name()), inner, lines);
    }
}

fn enum_lines(name: &str, one: &EnumDescriptorProto, lines: &mut BTreeSet<String>) {
    for value in &one.value {
        lines.insert(format!("value {name}.{} = {}", value.name(), value.number()));
    }
}

/// What a lock file says of the contracts: what is broken, and what it does not have yet.
fn compare(lock: &str, now: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let locked: BTreeSet<String> = lock.lines().map(str::to_owned).collect();
    let broken = locked.difference(now).cloned().collect();
    (broken, now.difference(&locked).cloned().collect())
}

#[test]
fn the_contracts_only_grow() {
    let path = folder().join("contracts.lock");
    let now = lines(&contracts());
    let lock = std::fs::read_to_string(&path).unwrap_or_default();
    let (broken, new) = compare(&lock, &now);
    assert!(
        broken.is_empty(),
        "incompatible with peers and stored manifests of earlier versions; take new names and \
         numbers instead, and leave these as they were:\n{}",
        broken.join("\n")
    );
    if new.is_empty() {
        return;
    }
    assert!(
        std::env::var_os("FIRN_REWRITE").is_some(),
        "proto/contracts.lock is old: run this test with FIRN_REWRITE=1 to add\n{}",
        new.join("\n")
    );
    let all: String = now.iter().flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&path, all).unwrap();
}

#[test]
fn a_change_is_told_from_an_addition() {
    let contracts = contracts();
    let before = lines(&contracts);
    let lock: String = before.iter().flat_map(|line| [line, "\n"]).collect();
    assert_eq!(compare(&lock, &before), (vec![], vec![]));
    let changed = |change: &dyn Fn(&mut FileDescriptorProto)| {
        let mut changed = contracts.clone();
        let file = changed.file.iter_mut().find(|f| f.name() == "firn/v1/common.proto").unwrap();
        change(file);
        compare(&lock, &lines(&changed))
    };
    let message = |file: &FileDescriptorProto| {
        file.message_type.iter().position(|m| m.name() == "KeyRange").unwrap()
    };
    let field = "field firn.v1.KeyRange.end = 2 bytes".to_owned();
    let (broken, _) = changed(&|file| {
        let at = message(file);
        file.message_type[at].field.retain(|field| field.name() != "end");
    });
    assert_eq!(broken, std::slice::from_ref(&field), "a field is missing");
    let (broken, new) = changed(&|file| {
        let at = message(file);
        file.message_type[at].field[1].number = Some(9);
    });
    assert_eq!(broken, std::slice::from_ref(&field), "a number has changed");
    assert_eq!(new, ["field firn.v1.KeyRange.end = 9 bytes"]);
    let (broken, _) = changed(&|file| {
        let at = message(file);
        file.message_type[at].field[1].set_type(Type::String);
    });
    assert_eq!(broken, std::slice::from_ref(&field), "a type has changed");
    let (broken, _) = changed(&|file| {
        let at = message(file);
        file.message_type[at].field[1].set_label(Label::Repeated);
    });
    assert_eq!(broken, [field], "one has become many");
    let (broken, _) = changed(&|file| file.enum_type[0].value[1].number = Some(77));
    assert_eq!(broken.len(), 1, "a value has another number");
    let (broken, new) = changed(&|file| {
        let at = message(file);
        let mut more = file.message_type[at].field[1].clone();
        (more.name, more.number) = (Some("more".into()), Some(4));
        file.message_type[at].field.push(more);
    });
    assert_eq!((broken.len(), new), (0, vec!["field firn.v1.KeyRange.more = 4 bytes".to_owned()]));
}

/// Every message, field, value and call says what it is, beside it or in the line above.
#[test]
fn everything_is_documented() {
    let mut bare = Vec::new();
    for file in &contracts().file {
        let info = file.source_code_info.as_ref().unwrap();
        let said = |path: &[i32]| {
            let at = info.location.iter().find(|location| location.path == path);
            at.is_some_and(|at: &Location| {
                !at.leading_comments().trim().is_empty()
                    || !at.trailing_comments().trim().is_empty()
            })
        };
        let mut check = |path: &[i32], name: String| {
            if !said(path) {
                bare.push(format!("{}: {name}", file.name()));
            }
        };
        let number = |index: usize| i32::try_from(index).unwrap();
        for (at, message) in file.message_type.iter().enumerate() {
            for (field_at, field) in message.field.iter().enumerate() {
                let path = [4, number(at), 2, number(field_at)];
                check(&path, format!("{}.{}", message.name(), field.name()));
            }
        }
        for (at, one) in file.enum_type.iter().enumerate() {
            for (value_at, value) in one.value.iter().enumerate() {
                // The first one is what is sent by who does not know the field.
                if value.number() != 0 {
                    check(&[5, number(at), 2, number(value_at)], value.name().to_owned());
                }
            }
        }
        for (at, service) in file.service.iter().enumerate() {
            for (call_at, call) in service.method.iter().enumerate() {
                let path = [6, number(at), 2, number(call_at)];
                check(&path, format!("{}/{}", service.name(), call.name()));
            }
        }
    }
    assert!(bare.is_empty(), "{} without a word:\n{}", bare.len(), bare.join("\n"));
}
