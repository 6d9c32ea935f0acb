internal import CLibuv

extension Signal {
    /// Sends the signal to a process. `Signal(0)` only asks whether it is there.
    ///
    /// The system gives the number of a process that has ended and been waited for to a later one. A child of this process is
    /// signalled without that danger by ``ProcessHandle/kill(_:)``.
    ///
    /// - Throws: ``UVError`` with `.noSuchProcess`, `.notPermitted`, `.invalidArgument` for a number that is no signal or no
    ///   process: 0 and negative ones, which stand for groups.
    ///
    /// Calls `uv_kill`.
    public func send(toProcess process: Int32) throws(UVError) {
        guard process > 0 else { throw UVError(.invalidArgument, in: "kill", of: "process \(process)") }
        try check(uv_kill(process, rawValue), "kill", of: "process \(process)")
    }

    /// Sends the signal to every process of a group. Otherwise as ``send(toProcess:)``.
    ///
    /// - Throws: As there; `.invalidArgument` for a number below 2, which would stand for this process's group or for everybody.
    ///
    /// Calls `uv_kill`.
    public func send(toGroup group: Int32) throws(UVError) {
        guard group > 1 else { throw UVError(.invalidArgument, in: "kill", of: "group \(group)") }
        try check(uv_kill(-group, rawValue), "kill", of: "group \(group)")
    }
}
