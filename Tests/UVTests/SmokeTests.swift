import TestSupport
import Testing
import UV

@Suite(.ownThread) struct SmokeTests {
    @Test func echo() throws {
        var received: [UInt8] = []
        var ended = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            try near.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) },
                onEnd: { near, error in
                    ended += 1
                    #expect(error == nil)
                    near.close()
                })
            try far.write([1, 2, 3])
            far.closeAfterWrites()
        }
        #expect(received == [1, 2, 3] && ended == 1)
    }
}
