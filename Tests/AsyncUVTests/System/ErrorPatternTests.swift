// Without UV, whose operators are seen by files that import it only.
import AsyncUV
import Testing

@Suite struct ErrorPatternTests {
    @Test("A `catch` names a code in a file that imports AsyncUV alone")
    func codes() throws {
        let name: String = try EventLoop.run { loop in
            do {
                try await withTimeout(.zero) { try await loop.sleep(for: .seconds(1_000)) }
                return "none"
            } catch UVError.Code.canceled {
                return "canceled"
            } catch UVError.Code.timedOut {
                return "timed out"
            }
        }
        #expect(name == "timed out")
    }
}
