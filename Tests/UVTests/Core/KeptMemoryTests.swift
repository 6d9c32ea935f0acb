import TestSupport
import Testing
import UV

#if canImport(Glibc)
/// What a loop frees is there for its next turn.
@Suite struct KeptMemoryTests {
    @Test(
        "Blocks of 64 KiB that are made and freed again and again come from memory that the process has",
        .disabled(if: isSanitized, "sanitizers have a malloc of their own"))
    func noPageIsClearedAgain() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let loop = try Loop()
                func turn() -> Int {
                    let blocks = (0..<16).map { [UInt8](repeating: UInt8($0), count: 65_536) }
                    return blocks.reduce(0) { $0 + Int($1[4_096]) }
                }
                #expect(turn() == 120)
                let before = try SystemInfo.resourceUsage.minorPageFaults
                for _ in 0..<100 { #expect(turn() == 120) }
                let faults = try SystemInfo.resourceUsage.minorPageFaults - before
                #expect(faults < 1_000)
                try loop.close()
            }
        }
    }
}
#endif
