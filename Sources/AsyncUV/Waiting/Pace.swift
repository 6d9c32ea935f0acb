/// The pace of a sequence whose elements are mostly there already: nothing else would make its reader wait.
struct Pace {
    /// Elements since others were last let through.
    private var inARow = 0

    /// To be called for each element.
    ///
    /// - Returns: Whether it is time to give way.
    /// - Throws: `CancellationError`: what is there already would keep a cancelled reader going.
    mutating func step() throws -> Bool {
        try checkCancellation()
        inARow += 1
        if inARow < 256 { return false }
        inARow = 0
        return true
    }
}
