import Foundation
public import SystemPackage

extension FileDescriptor {
    /// Waits for a connection on a listening socket.
    public func acceptOne() throws -> FileDescriptor {
        let connection = accept(rawValue, nil, nil)
        guard connection >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: connection)
    }
}
