import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import TestSupport
import Testing

@testable import AsyncUVHTTP2

/// What a connection makes of frames, whatever the pieces in which they come.
@Suite(.ownThread) struct FrameTests {
    @Test("The time for a frame ends with the frame, also with one that nghttp2 ignores")
    func framesUnderWay() throws {
        try onLoop { loop in
            let core = ConnectionCore(HTTP2Limits(), HTTPLimits(), on: loop)
            let frames = [
                Frame.settings,
                // Ignored: PRIORITY, and a type that nobody knows.
                Frame(type: 2, stream: 1, payload: [0, 0, 0, 0, 1]), Frame(type: 99, payload: [1, 2, 3]),
                // A head in two frames is one.
                Frame(type: 1, flags: 0, stream: 1, payload: Array(Frame.get.prefix(2))),
                Frame(type: 9, flags: 4, stream: 1, payload: Array(Frame.get.dropFirst(2))),
                Frame(type: 0, stream: 1, payload: [UInt8](repeating: 1, count: 300)),
                Frame(type: 0, flags: 1, stream: 1),
                // Ignored, because the client has finished the stream.
                Frame(type: 8, stream: 1, payload: [0, 0, 0, 1]), Frame.ping,
            ]
            for byte in Frame.preface {
                _ = core.receive([byte])
                #expect(core.frameUnderWay == 0)
            }
            var numbers: [UInt64] = []
            for frame in frames {
                let isPartOfHead = frame.type == 1 && frame.flags & 4 == 0
                // nghttp2 1.52 of Debian takes each piece of a CONTINUATION for one more of them, and ends at nine.
                let size = frame.type == 9 ? 2 : 1
                let bytes = Array(frame.bytes.dropLast())
                for start in stride(from: 0, to: bytes.count, by: size) {
                    _ = core.receive(Array(bytes[start..<min(start + size, bytes.count)]))
                    if numbers.last != core.frameUnderWay { numbers.append(core.frameUnderWay) }
                }
                _ = core.receive(frame.bytes.suffix(1))
                #expect((core.frameUnderWay != 0) == isPartOfHead)
                #expect(!core.isLost, "\(frame)")
            }
            #expect(numbers == Array(1...8))
            #expect(!core.isLost && !core.isRefused)
        }
    }

    @Test("Pieces that never end between two frames: each frame has a number of its own")
    func piecesAcrossFrames() throws {
        try onLoop { loop in
            let core = ConnectionCore(HTTP2Limits(), HTTPLimits(), on: loop)
            _ = core.receive(Frame.preface + Frame.settings.bytes)
            var bytes = Frame(type: 1, flags: 4, stream: 1, payload: Frame.get).bytes
            for _ in 0..<20 { bytes += Frame(type: 0, stream: 1, payload: [UInt8](repeating: 1, count: 1_000)).bytes }
            var numbers: [UInt64] = []
            for start in stride(from: 0, to: bytes.count - 1, by: 700) {
                _ = core.receive(Array(bytes[start..<min(start + 700, bytes.count - 1)]))
                numbers.append(core.frameUnderWay)
            }
            #expect(Set(numbers).count >= 20 && numbers == numbers.sorted() && !numbers.contains(0))
        }
    }

    @Test("Any number is a limit, and the largest are none")
    func extremeLimits() throws {
        for extreme in [Int.max, 0, Int.min] {
            var limits = HTTP2Limits()
            limits.resets = extreme
            limits.controlFrames = extreme
            limits.streamWindow = extreme
            limits.concurrentStreams = extreme
            var ofRequests = HTTPLimits()
            if extreme > 0 { (ofRequests.head, ofRequests.line, ofRequests.body) = (extreme, extreme, extreme) }
            let server = HTTP2Server(HTTPServer(limits: ofRequests), limits: limits)
            try onLoop { loop in
                try await serve(server, on: loop) { _, response in
                    try await response.send(text: "hello")
                } _: { client in
                    for _ in 0..<3 {
                        let answer = try await client.answer(client.request())
                        #expect(answer.text == "hello")
                    }
                }
            }
        }
    }

    @Test("Large heads arrive; what nghttp2 would not send is the handler's error")
    func largeHeads() throws {
        try onLoop { loop in
            let errors = Shared<[String]>([])
            try await serve(on: loop) { request, response in
                let count = Int(request.head.path?.dropFirst() ?? "") ?? 0
                let fields: HTTPFields = [.location: String(repeating: "a", count: count)]
                do { try await response.send(.found, fields) } catch {
                    errors.change { $0.append("\(error)") }
                    throw error
                }
            } _: { client in
                let answer = try await client.answer(client.request("GET", "/70000"))
                #expect(answer.status == 302 && answer.fields["location"]?.utf8.count == 70_000)
                let failed = try await client.answer(client.request("GET", "/700000"))
                #expect(failed.status == 500)
                #expect(errors.value.count == 1)
                #expect(errors.value.first?.contains("in send of 700") == true, "\(errors.value)")
            }
        }
    }

    @Test("A refusal has its fields; trailers have no length")
    func refusalsAndTrailers() throws {
        try onLoop { loop in
            try await serve(on: loop) { request, response in
                if request.head.path == "/busy" {
                    throw HTTPRefusal(.serviceUnavailable, "later", fields: [.retryAfter: "7"])
                }
                try await response.stream { writer in
                    try await writer.write("x")
                    try await writer.finish(trailers: [.contentLength: "7", .eTag: "t"])
                }
            } _: { client in
                let busy = try await client.answer(client.request("GET", "/busy"))
                #expect(busy.status == 503 && busy.fields["retry-after"] == "7")
                #expect(busy.text == "503 Service Unavailable: later\n")
                let streamed = try await client.answer(client.request())
                #expect(streamed.trailers == ["etag": "t"])
            }
        }
    }

    @Test("Handlers that go on after their answers are not their client's fault")
    func handlersAfterTheirAnswers() throws {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 1
        limits.resets = 0
        let server = HTTP2Server(limits: limits)
        try onLoop { loop in
            let go = AsyncSemaphore(permits: 0, on: loop)
            try await serve(server, on: loop) { request, response in
                try await response.send()
                if request.head.path == "/slow" { try await go.acquire() }
            } _: { client in
                #expect(try await client.answer(client.request("GET", "/slow")).status == 200)
                for _ in 0..<5 {
                    let refused = try await client.answer(client.request())
                    #expect(refused.error == 7)
                }
                go.release()
                while try await client.answer(client.request()).error == 7 {}
            }
        }
    }
}
