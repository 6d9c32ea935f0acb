import Foundation
public import SystemPackage

/// A terminal without a screen: what is written to one end is typed on the other, and the other way round.
public final class PseudoTerminal: Sendable {
    /// The person's end.
    public let person: FileDescriptor
    /// The program's end.
    public let program: FileDescriptor

    public init() throws {
        person = try FileDescriptor.open(FilePath("/dev/ptmx"), .readWrite, options: .closeOnExec)
        // What unlockpt(3) and ptsname(3) do on Linux, which Glibc does not show.
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        var number: CInt = 0
        guard unsafe ioctl(person.rawValue, unlock, &number) == 0,
            unsafe ioctl(person.rawValue, getNumber, &number) == 0
        else { throw Errno(rawValue: errno) }
        program = try FileDescriptor.open(
            FilePath("/dev/pts/\(number)"), .readWrite,
            options: [.closeOnExec, FileDescriptor.OpenOptions(rawValue: O_NOCTTY)])
    }

    deinit {
        try? person.close()
        try? program.close()
    }

    /// Whether each key reaches the program at once.
    public var isRaw: Bool {
        var settings = termios()
        guard unsafe tcgetattr(program.rawValue, &settings) == 0 else { return false }
        return settings.c_lflag & tcflag_t(ICANON) == 0
    }

    /// What the terminal would do with what is typed.
    public var settings: [UInt32] {
        var settings = termios()
        _ = unsafe tcgetattr(program.rawValue, &settings)
        return [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag].map { UInt32($0) }
    }

    /// Gives the terminal another size. The process that has it as its own would get SIGWINCH.
    public func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(person.rawValue, UInt(TIOCSWINSZ), &size)
    }

    public func type(_ text: String) throws { try person.writeAll(text.utf8) }

    /// What the program has printed, at least a byte.
    public func readPrinted() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 1_000)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe person.read(into: $0) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
