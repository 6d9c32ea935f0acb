/// The memory that the streams of a loop read into. One buffer is enough, because libuv fills one at a time.
@safe
package struct ReadMemory {
    /// Nobody else has this array, so its memory stays in place.
    private var array: [UInt8] = []
    private var spare: [UInt8] = []
    /// What is lent of the buffer: see ``StreamHandle/readLent(upTo:onDone:)``.
    var lent = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    /// Where the next bytes go.
    var buffer: UnsafeMutableRawBufferPointer {
        mutating get {
            if array.isEmpty { array = .unset(count: Receiver.largest) }
            return unsafe array.withUnsafeMutableBytes { unsafe $0 }
        }
    }

    /// What has just been read, as an array: a large read takes the buffer with it, a small one is copied.
    mutating func take(_ bytes: Span<UInt8>) -> [UInt8] {
        guard bytes.count >= Receiver.largest / 2 else { return [UInt8](copying: bytes) }
        var taken: [UInt8] = []
        swap(&taken, &array)
        taken.removeLast(taken.count - bytes.count)
        return taken
    }

    /// Takes an array with room, which a reader has left with ``leaveSpare(_:)``; its bytes mean nothing. Readers that are done with
    /// their bytes pass their memory on, so that it is neither made for each read nor kept by each connection.
    package mutating func takeSpare() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &spare)
        return taken
    }

    /// Leaves an array, whose bytes mean nothing any more, to the next reader.
    package mutating func leaveSpare(_ array: consuming [UInt8]) {
        if array.capacity > spare.capacity, array.capacity <= 2 * Receiver.largest { spare = array }
    }
}
