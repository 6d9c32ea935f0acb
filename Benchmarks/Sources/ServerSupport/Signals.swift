import Glibc

/// Ends the process with status 0 on SIGTERM and SIGINT. A server that is measured has nothing to save, and this costs
/// nothing while it runs.
public func exitOnSignals() {
    for number in [SIGTERM, SIGINT] {
        signal(number) { _ in _exit(0) }
    }
}
