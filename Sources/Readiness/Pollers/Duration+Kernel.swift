extension Duration? {
    /// For `poll` and `epoll_wait`: rounded up, so that a wait never ends early; -1 for ever.
    var pollMilliseconds: CInt { CInt(clamping: units(of: 1_000_000_000_000_000, atMost: Int64(CInt.max))) }

    /// For `select`: rounded up; -1 for ever. At most a year, as some kernels refuse more.
    var selectMicroseconds: Int64 { units(of: 1_000_000_000_000, atMost: 365 * 86_400 * 1_000_000) }

    /// Rounds up to whole units of so many attoseconds.
    private func units(of unit: Int64, atMost limit: Int64) -> Int64 {
        guard let self else { return -1 }
        guard self > .zero else { return 0 }
        let perSecond = 1_000_000_000_000_000_000 / unit
        let (seconds, attoseconds) = self.components
        guard seconds < limit / perSecond else { return limit }
        return seconds * perSecond + (attoseconds + unit - 1) / unit
    }
}
