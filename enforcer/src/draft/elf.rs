//! What a program's file says of itself: its loader, its libraries, what it calls.
//!
//! It is read as the loader reads it, by segments. Only what it imports is looked up by
//! sections; a program without those tells less.

use std::collections::BTreeSet;

use object::{
    Endianness, FileKind, StringTable, elf,
    read::elf::{Dyn as _, ElfFile, FileHeader, ProgramHeader as _, Sym as _},
};

/// Why a file is no program that could be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// It is damaged.
    #[error("it is damaged")]
    Damaged(#[from] object::read::Error),
    /// It is something else, as a relocatable object or a core.
    #[error("it is an ELF file, but no program and no library")]
    NoProgram,
}

/// A program or library.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Elf {
    /// The loader.
    pub(super) interpreter: Option<String>,
    /// Names of libraries.
    pub(super) needed: Vec<String>,
    /// Folders of libraries, before those of the system, for what it needs and what that
    /// needs in turn.
    pub(super) rpath: Vec<String>,
    /// The same for what it needs alone, and in place of it.
    pub(super) runpath: Vec<String>,
    /// Functions that it takes from libraries.
    pub(super) imports: BTreeSet<String>,
    /// What it runs on.
    pub(super) machine: Machine,
}

/// What a program runs on. A library of another is passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Machine {
    /// The processor: `EM_X86_64` and so on.
    pub(super) processor: u16,
    /// Whether addresses have 64 bits.
    pub(super) wide: bool,
}

/// Reads a file that begins as ELF files do.
pub(super) fn parse(bytes: &[u8]) -> Result<Elf, ElfError> {
    match FileKind::parse(bytes)? {
        FileKind::Elf64 => read::<elf::FileHeader64<Endianness>>(bytes, true),
        FileKind::Elf32 => read::<elf::FileHeader32<Endianness>>(bytes, false),
        _ => Err(ElfError::NoProgram),
    }
}

fn read<Header>(bytes: &[u8], wide: bool) -> Result<Elf, ElfError>
where
    Header: FileHeader<Endian = Endianness>,
{
    let file = ElfFile::<Header>::parse(bytes)?;
    let endian = file.endian();
    let header = file.elf_header();
    if !matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN) {
        return Err(ElfError::NoProgram);
    }
    let mut program = Elf {
        machine: Machine {
            processor: header.e_machine(endian),
            wide,
        },
        ..Elf::default()
    };
    let mut dynamic: &[Header::Dyn] = &[];
    for segment in file.elf_program_headers() {
        if let Some(interpreter) = segment.interpreter(endian, bytes)? {
            program.interpreter = Some(String::from_utf8_lossy(interpreter).into_owned());
        }
        if let Some(entries) = segment.dynamic(endian, bytes)? {
            dynamic = entries;
        }
    }
    let value = |wanted: i64| {
        let mut entries = dynamic.iter();
        let found = entries.find(|entry| entry.tag(endian) == wanted);
        found.map(|entry| entry.val(endian))
    };
    let place = value(elf::DT_STRTAB).and_then(|address| {
        let mut segments = file.elf_program_headers().iter();
        segments.find_map(|segment| {
            let inside = address.checked_sub(segment.p_vaddr(endian).into())?;
            let loaded = segment.p_type(endian) == elf::PT_LOAD;
            (loaded && inside < segment.p_filesz(endian).into())
                .then(|| inside.saturating_add(segment.p_offset(endian).into()))
        })
    });
    if let (Some(start), Some(len)) = (place, value(elf::DT_STRSZ)) {
        let strings = StringTable::new(bytes, start, start.saturating_add(len));
        for entry in dynamic {
            let list = match entry.tag(endian) {
                elf::DT_NEEDED => &mut program.needed,
                elf::DT_RPATH => &mut program.rpath,
                elf::DT_RUNPATH => &mut program.runpath,
                elf::DT_NULL => break,
                _ => continue,
            };
            let text = String::from_utf8_lossy(entry.string(endian, strings)?).into_owned();
            list.push(text);
        }
    }
    for list in [&mut program.rpath, &mut program.runpath] {
        let folders = list.iter().flat_map(|list| list.split(':'));
        *list = folders
            .filter(|folder| !folder.is_empty())
            .map(str::to_owned)
            .collect();
    }
    let symbols = file.elf_dynamic_symbol_table();
    for symbol in symbols.iter() {
        if symbol.st_shndx(endian) == elf::SHN_UNDEF
            && let Ok(name) = symbol.name(endian, symbols.strings())
            && !name.is_empty()
        {
            program
                .imports
                .insert(String::from_utf8_lossy(name).into_owned());
        }
    }
    Ok(program)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Elf, Machine, parse};

    /// A program of these words, as a linker would make it: a header, three segments, and
    /// sections for what it imports.
    pub(in crate::draft) fn program(program: &Elf) -> Vec<u8> {
        const HEADER: usize = 64;
        const SEGMENT: usize = 56;
        let mut strings = vec![0_u8];
        let mut add = |text: &str| {
            let at = strings.len();
            strings.extend(text.as_bytes());
            strings.push(0);
            u32::try_from(at).unwrap()
        };
        let mut dynamic: Vec<(u64, usize)> = Vec::new();
        for (tag, list) in [
            (1, &program.needed),
            (15, &program.rpath),
            (29, &program.runpath),
        ] {
            dynamic.extend(list.iter().map(|name| (tag, add(name) as usize)));
        }
        // The first symbol is none.
        let mut symbols = vec![0_u8; 24];
        for name in &program.imports {
            symbols.extend(add(name).to_le_bytes());
            symbols.extend([0x12, 0, 0, 0]);
            symbols.extend([0; 16]);
        }
        let interpreter = program.interpreter.clone().unwrap_or_default() + "\0";

        let segments = 3;
        let interpreter_at = HEADER + segments * SEGMENT;
        let strings_at = interpreter_at + interpreter.len();
        let symbols_at = (strings_at + strings.len()).next_multiple_of(8);
        let dynamic_at = symbols_at + symbols.len();
        dynamic.extend([(5, strings_at), (10, strings.len()), (0, 0)]);
        let sections_at = dynamic_at + dynamic.len() * 16;

        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        let half = |bytes: &mut Vec<u8>, value: usize| {
            bytes.extend(u16::try_from(value).unwrap().to_le_bytes());
        };
        let word = |bytes: &mut Vec<u8>, value: usize| {
            bytes.extend(u32::try_from(value).unwrap().to_le_bytes());
        };
        let long = |bytes: &mut Vec<u8>, value: usize| bytes.extend((value as u64).to_le_bytes());
        half(&mut bytes, 3);
        half(&mut bytes, usize::from(program.machine.processor));
        word(&mut bytes, 1);
        long(&mut bytes, 0);
        long(&mut bytes, HEADER);
        long(&mut bytes, sections_at);
        word(&mut bytes, 0);
        for value in [HEADER, SEGMENT, segments, 64, 3, 2] {
            half(&mut bytes, value);
        }
        // Loaded whole, at its own offsets. The loader's name, where there is none, is no
        // segment.
        let named = if program.interpreter.is_some() { 3 } else { 0 };
        for (kind, at, len) in [
            (1, 0, sections_at),
            (named, interpreter_at, interpreter.len()),
            (2, dynamic_at, dynamic.len() * 16),
        ] {
            word(&mut bytes, kind);
            word(&mut bytes, 4);
            for value in [at, at, at, len, len, 8] {
                long(&mut bytes, value);
            }
        }
        bytes.extend(interpreter.as_bytes());
        bytes.extend(&strings);
        bytes.resize(symbols_at, 0);
        bytes.extend(&symbols);
        for (tag, value) in dynamic {
            bytes.extend(tag.to_le_bytes());
            long(&mut bytes, value);
        }
        // None; the symbols, whose strings are in the next; the strings.
        for (kind, at, len, link, size) in [
            (0, 0, 0, 0, 0),
            (11, symbols_at, symbols.len(), 2, 24),
            (3, strings_at, strings.len(), 0, 0),
        ] {
            word(&mut bytes, 0);
            word(&mut bytes, kind);
            for value in [0, at, at, len] {
                long(&mut bytes, value);
            }
            word(&mut bytes, link);
            word(&mut bytes, 0);
            long(&mut bytes, 8);
            long(&mut bytes, size);
        }
        bytes
    }

    /// The machine of programs in tests.
    pub(in crate::draft) const MACHINE: Machine = Machine {
        processor: object::elf::EM_X86_64,
        wide: true,
    };

    /// A list of texts.
    pub(in crate::draft) fn texts<T: FromIterator<String>>(texts: &[&str]) -> T {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_program_is_read() {
        let all = Elf {
            interpreter: Some("/lib64/ld.so".to_owned()),
            needed: texts(&["libc.so.6", "libz.so.1"]),
            rpath: texts(&["/opt/a"]),
            runpath: texts(&["$ORIGIN/../lib"]),
            imports: texts(&["getpwnam", "open"]),
            machine: MACHINE,
        };
        assert_eq!(parse(&program(&all)).unwrap(), all);
        let none = Elf {
            machine: MACHINE,
            ..Elf::default()
        };
        assert_eq!(parse(&program(&none)).unwrap(), none);
    }

    #[test]
    fn folders_are_taken_apart() {
        let joined = Elf {
            runpath: texts(&["/a:/b::$ORIGIN"]),
            ..Elf::default()
        };
        let read = parse(&program(&joined)).unwrap();
        assert_eq!(read.runpath, ["/a", "/b", "$ORIGIN"]);
    }

    /// This test is a program, too.
    #[test]
    fn a_program_of_a_linker_is_read() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let read = parse(&bytes).unwrap();
        assert!(read.machine.wide, "{read:?}");
        if read.interpreter.is_some() {
            assert!(
                read.needed.iter().any(|name| name.contains("libc")),
                "{read:?}"
            );
            assert!(!read.imports.is_empty());
        }
    }

    #[test]
    fn what_is_no_program_is_an_error() {
        let whole = program(&Elf {
            needed: texts(&["libc.so.6"]),
            ..Elf::default()
        });
        let mut object = whole.clone();
        object[16] = 1;
        let mut archive = b"!<arch>\n".to_vec();
        archive.resize(64, 0);
        for (name, bytes) in [
            ("cut in its header", &whole[..40]),
            ("cut in its segments", &whole[..100]),
            ("an object", &object),
            ("something else", &archive),
        ] {
            assert!(parse(bytes).is_err(), "{name}");
        }
        // However it is damaged, it is read or refused.
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _read = parse(&damaged);
        }
    }
}
