import Foundation
import SystemPackage
import UV

/// Makes the terminal of descriptor 3 raw, says so, and ends in some way.
enum RawTerminal {
    static func run(_ end: String) throws {
        // In a group of its own, which its parent can stop.
        setpgid(0, 0)
        let loop = try Loop()
        let terminal = try TTYHandle(on: loop, FileDescriptor(rawValue: 3))
        try terminal.setMode(.raw)
        print("raw")
        fflush(nil)
        if end == "wait" { while true { sleep(1_000) } }
        _ = readLine()
        if end == "exit" { exit(EXIT_SUCCESS) }
        fatalError("as asked")
    }
}
