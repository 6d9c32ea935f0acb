internal import UV

/// A connection that is made of a handle, as listeners do.
package protocol HandleConnection: StreamConnection {
    /// Takes a connected handle, on its loop's thread. It belongs to the connection from then on; it is closed when that
    /// fails.
    init(_ handle: Handle, on loop: EventLoop) throws(UVError)
}
