internal import AsyncUVHTTP

/// One stream, for its handler.
extension ConnectionCore {
    /// A stream whose handler runs.
    func stream(_ id: Int32) throws -> StreamState {
        guard let stream = streams[id], stream.isRunning else { throw HTTPServerError.isOver }
        return stream
    }

    func submitHead(_ id: Int32, _ fields: FieldList, hasBody: Bool) {
        resetsLeft = min(resetsLeft + 1, limits.resets)
        nghttp2.submitHead(id, fields, hasBody: hasBody)
        pump()
        poke()
    }

    func submitInterim(_ id: Int32, _ fields: FieldList) {
        nghttp2.submitInterim(id, fields)
        pump()
        poke()
    }

    /// A body has more bytes, or its end.
    func resume(_ id: Int32) {
        nghttp2.resume(id)
        pump()
        poke()
    }

    /// The handler has taken so many bytes.
    func consume(_ id: Int32, _ count: Int) {
        nghttp2.consume(id, count)
        pump()
        poke()
    }

    func reset(_ id: Int32, _ error: HTTP2ErrorCode) {
        guard let stream = streams[id], !stream.isClosed else { return }
        nghttp2.reset(id, error)
        pump()
        poke()
    }

    /// The handler has ended.
    func end(_ id: Int32) {
        guard let stream = streams[id], stream.isRunning else { return }
        running -= 1
        stream.isRunning = false
        stream.input = []
        if stream.isClosed || isLost {
            streams[id] = nil
        } else if stream.answer != .ended || !stream.isSent {
            reset(id, .internalError)
        } else if !stream.inputHasEnded {
            // The client need not send the rest.
            reset(id, .none)
        }
        pump()
        poke()
    }
}
