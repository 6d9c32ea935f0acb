import SystemPackage
import TestSupport
import Testing
import UV

/// The tests of the tests: what they promise to find, they find.
@Suite(.ownThread) struct HarnessTests {
    @Test func aHandleLeftOpenFails() throws {
        let error = #expect(throws: UVError.self) { try withLoop { loop in _ = try TimerHandle(on: loop) } }
        #expect(error?.description.contains("timer, not active (made at UVTests/HarnessTests.swift") == true)
    }

    @Test func anErrorOfTheBodyComesOutAndNothingStaysOpen() throws {
        weak var handle: TCPHandle?
        #expect(throws: Errno.badAddress) {
            try withLoop { loop in
                handle = try TCPHandle.tcpPair(on: loop).0
                throw Errno.badAddress
            }
        }
        #expect(handle == nil)
    }

    @Test func aSocketLeftOpenFails() throws {
        var pair: (FileDescriptor, FileDescriptor)?
        let left = try socketsLeftOpen(patience: .zero) { pair = try FileDescriptor.tcpPair() }
        #expect(left.keys.contains(pair?.0.rawValue ?? -1) && left.keys.contains(pair?.1.rawValue ?? -1))
        try pair?.0.close()
        try pair?.1.close()
    }

    @Test func aSocketThatIsClosedPasses() throws {
        try withoutDescriptorLeak {
            let pair = try FileDescriptor.tcpPair()
            try pair.0.close()
            try pair.1.close()
        }
    }
}
