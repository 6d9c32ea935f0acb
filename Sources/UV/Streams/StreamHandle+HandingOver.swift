internal import CPlatform
package import SystemPackage

/// A stream whose socket goes to somebody else.
extension StreamHandle {
    /// A duplicate of the stream's descriptor, for another process. Reading stops, so that what comes from now on stays with the
    /// system; a later read goes on. The caller closes the duplicate.
    ///
    /// - Throws: ``UVError`` with `.notSupported` for a stream with a filter, `.resourceBusy` when bytes would stay behind, because they were read and not taken, or written and
    ///   not sent, and when a read waits; `.tooManyOpenFiles`, `.badFileDescriptor`.
    package final func duplicateToHandOver() throws(UVError) -> FileDescriptor {
        try checkOpen("handing over")
        if isFiltered { throw UVError(.notSupported, in: "handing over", of: "an encrypted connection") }
        if unsafe receiver.isInUse || isBeingRead || hasBacklog {
            throw UVError(.resourceBusy, in: "handing over", of: "a connection that is being read or written")
        }
        let descriptor = try fileDescriptor.rawValue
        if unsafe receiver.isReading { stopReadingAhead() }
        let duplicate = cplatform_duplicate(descriptor)
        try checkSystem(duplicate, "handing over", of: "descriptor \(descriptor)")
        return FileDescriptor(rawValue: duplicate)
    }
}
