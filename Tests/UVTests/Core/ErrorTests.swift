import TestSupport
import Testing
import UV

@Suite(.ownThread) struct ErrorTests {
    @Test("All 82 codes have a name and a meaning", arguments: UVError.Code.named)
    func named(_ code: UVError.Code) {
        #expect(code.rawValue < 0)
        #expect(!code.name.isEmpty && !code.name.contains("nknown system error"))
        #expect(!code.message.isEmpty && !code.message.contains("nknown system error"))
        #expect(code.description == code.name)
        #expect(UVError.Code(rawValue: code.rawValue) == code)
        #expect(UVError(code, in: "x").description == "\(code.message) (\(code.name)) in x")
    }

    @Test func thereAre82Codes() {
        #expect(UVError.Code.named.count == 82)
        #expect(Set(UVError.Code.named.map(\.rawValue)).count == 82)
        #expect(Set(UVError.Code.named.map(\.name)).count == 82)
    }

    @Test func unknownCodesSurvive() {
        for number: CInt in [-1_234_567, 0, 7, CInt.min, CInt.max] {
            let code = UVError.Code(rawValue: number)
            #expect(code.rawValue == number)
            #expect(!code.name.isEmpty && !code.message.isEmpty)
        }
        #expect(UVError.Code(rawValue: -1_234_567).message == "Unknown system error -1234567")
    }

    @Test func read() {
        let error = UVError(.addressInUse, in: "bind", of: "127.0.0.1:80")
        #expect(error.description == "address already in use (EADDRINUSE) in bind of 127.0.0.1:80")
        #expect("\(error)" == error.description)
        #expect(error.operation == "bind" && error.subject == "127.0.0.1:80")
        #expect(UVError(.brokenPipe, in: "write").description == "broken pipe (EPIPE) in write")
        #expect(UVError(.brokenPipe, in: "write").subject == nil)
    }

    @Test func areEqualWhenCodeOperationAndSubjectAre() {
        let error = UVError(.brokenPipe, in: "write", of: "x")
        #expect(error == UVError(.brokenPipe, in: "write", of: "x"))
        #expect(error != UVError(.brokenPipe, in: "read", of: "x"))
        #expect(error != UVError(.brokenPipe, in: "write", of: "y") && error != UVError(.brokenPipe, in: "write"))
        #expect(error != UVError(.connectionReset, in: "write", of: "x"))
        #expect(Set([error, error, UVError(.brokenPipe, in: "write")]).count == 2)
    }

    @Test func areCaughtByTheirCodes() throws {
        struct Other: Error {}
        func caught(_ error: any Error) -> String {
            let result = Result<Void, any Error>.failure(error)
            do { try result.get() } catch UVError.Code.connectionReset, UVError.Code.brokenPipe {
                return "gone"
            } catch UVError.Code.timedOut {
                return "late"
            } catch { return "other" }
            return "nothing"
        }
        #expect(caught(UVError(.brokenPipe, in: "write", of: "x")) == "gone")
        #expect(caught(UVError(.connectionReset, in: "read")) == "gone")
        #expect(caught(UVError(.timedOut, in: "read")) == "late")
        #expect(caught(UVError(.canceled, in: "read")) == "other" && caught(Other()) == "other")
        // The same of a function that throws nothing else.
        func fail(_ code: UVError.Code) throws(UVError) { throw UVError(code, in: "read") }
        func late(_ code: UVError.Code) throws -> Bool {
            do { try fail(code) } catch UVError.Code.timedOut { return true }
            return false
        }
        #expect(try late(.timedOut))
        #expect(throws: UVError(.canceled, in: "read")) { try late(.canceled) }
    }

    /// What Foundation asks for: the system's own errors under their numbers, libuv's under a name of their own.
    @Test func areTheSystemsForFoundation() {
        let reset = UVError(.connectionReset, in: "read")
        #expect(reset._domain == "NSPOSIXErrorDomain" && reset._code == 104 || reset._code == 54)
        let end = UVError(.endOfFile, in: "read")
        #expect(end._domain == "libuv" && end._code == -4095)
        #expect(UVError(.resolverUnknownName, in: "x")._domain == "libuv")
        #expect(UVError(.init(rawValue: .min), in: "x")._code == Int(CInt.min))
    }

    @Test func areSmall() { #expect(MemoryLayout<UVError>.size <= 16) }

    @Test func aPortInUseReadsAsDocumented() throws {
        try withLoop { loop in
            let first = try TCPHandle.listening(on: loop) { _, _ in }
            let second = try TCPHandle(on: loop)
            let address = try first.localAddress
            let error = #expect(throws: UVError.self) { try second.bind(to: address) }
            #expect(
                error?.description == "address already in use (EADDRINUSE) in bind of 127.0.0.1:\(address.port)")
            first.close()
            second.close()
        }
    }
}
