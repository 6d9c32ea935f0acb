public import AsyncUV
public import Testing
public import UV

/// Expects that nobody listens at an address, at last.
///
/// Children that other tests have just started hold a copy of each descriptor until they become another program: for so
/// long a connect succeeds. One that comes while the listener closes may be reset instead of refused.
public func expectRefused(_ address: SocketAddress, sourceLocation: SourceLocation = #_sourceLocation) async {
    while true {
        do { await (try TCPConnection.connect(to: address)).close() } catch UVError.Code.connectionReset {} catch {
            #expect((error as? UVError)?.code == .connectionRefused, sourceLocation: sourceLocation)
            return
        }
    }
}
