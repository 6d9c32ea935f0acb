#if DEBUG
import CFuzz
import FuzzTargets
import Glibc

/// Chosen by the environment, because the command line is libFuzzer's.
private let target = FuzzTarget(rawValue: unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? "")

/// Called by C with what is to be parsed.
@_cdecl("cfuzz_body")
func fuzzBody(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else {
        print("FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
        exit(1)
    }
    do { try unsafe target.run([UInt8](UnsafeBufferPointer(start: bytes, count: count))) } catch {
        fatalError("\(error)")
    }
    return 0
}
#endif

#if !FUZZING
/// Without libFuzzer, which has a main of its own, each file is tried once: `FUZZ_TARGET=url fuzz Tests/Fuzz/Corpora/url`.
@main struct Fuzz {
    static func main() {
        #if DEBUG
        for path in CommandLine.arguments.dropFirst() { unsafe cfuzz_run(path) }
        #else
        fatalError("the parsers' insides are tested in debug builds only")
        #endif
    }
}
#endif
