/// What ends a read of which nothing has come.
struct ReadLimits {
    var timeout: Duration?
    /// Whether it ends like the stream when the connection's server drains.
    var untilDraining = false
}
