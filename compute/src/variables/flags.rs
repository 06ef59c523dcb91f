//! Sets of names: `A,B`, and `a=on,b=off`.

/// The bits of names with commas between, in any case; empty ones are passed over.
///
/// # Errors
///
/// The name that is none.
pub(super) fn members<'a>(members: &[&str], text: &'a str) -> Result<u64, &'a str> {
    text.split(',').filter(|name| !name.is_empty()).try_fold(0, |bits, name| {
        let at = members.iter().position(|member| member.eq_ignore_ascii_case(name));
        at.map(|at| bits | 1 << at).ok_or(name)
    })
}

/// The bits after `name=on`, `=off`, `=default` and `default`, each name once.
///
/// # Errors
///
/// The text from what is none of them on.
pub(super) fn switches<'a>(
    members: &[&str],
    text: &'a str,
    before: u64,
    default: u64,
) -> Result<u64, &'a str> {
    let (mut on, mut off, mut reset, mut base) = (0_u64, 0_u64, 0_u64, before);
    let mut rest = text;
    let mut all = false;
    while !rest.is_empty() {
        let (part, after) = rest.split_once(',').unwrap_or((rest, ""));
        if part.eq_ignore_ascii_case("default") && !all {
            (all, base) = (true, default);
        } else {
            let (name, value) = part.split_once('=').ok_or(rest)?;
            let at = members.iter().position(|member| member.eq_ignore_ascii_case(name));
            let bit = 1_u64 << at.ok_or(rest)?;
            if (on | off | reset) & bit != 0 {
                return Err(rest);
            }
            match value.to_ascii_lowercase().as_str() {
                "on" => on |= bit,
                "off" => off |= bit,
                "default" => reset |= bit,
                _ => return Err(rest),
            }
        }
        rest = after;
    }
    Ok((base | on) & !off & !reset | (default & reset))
}
