/// Reads into memory that the reader has already.
extension StreamHandle {
    /// As ``read(upTo:onDone:)``, but after `.waiting` no array is made: `onDone` gets an empty one in place of the bytes, and takes
    /// them with ``takeLent(into:)`` before it returns.
    package final func readLent(
        upTo limit: Int, onDone: @escaping (StreamHandle, Result<[UInt8]?, UVError>) -> Void
    ) throws(UVError) -> ReadOutcome {
        let outcome = try read(upTo: limit, onDone: onDone)
        if case .waiting = outcome { unsafe receiver.isLent = true }
        return outcome
    }

    /// Appends the lent bytes to an array. In the `onDone` of ``readLent(upTo:onDone:)`` only; elsewhere there are none.
    package final func takeLent(into array: inout [UInt8]) {
        unsafe array.append(contentsOf: loop.readMemory.lent)
        unsafe loop.readMemory.lent = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Leaves the bytes where they are, in the loop's buffer.
    @inline(never)
    final func lend(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe receiver.isLent = false
        unsafe loop.readMemory.lent = bytes.withUnsafeBytes { unsafe $0 }
        return []
    }
}
