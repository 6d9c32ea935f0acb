import TestSupport
import Testing

@testable import io_models

/// Each wrong run shows its trouble, each right run shows none.
@Suite(.serialized, .inTurn) struct PitfallTests {
    @Test(arguments: pitfalls.map(\.name)) func showsTheDifference(_ name: String) async {
        await #expect(processExitsWith: .success) { [name] in
            let pitfall = try #require(pitfalls.first { $0.name == name })
            let (wrong, right) = try await onThread { (try pitfall.wrong(), try pitfall.right()) }
            #expect(wrong.isTrouble, "\(wrong.text)")
            #expect(!right.isTrouble, "\(right.text)")
        }
    }
}
