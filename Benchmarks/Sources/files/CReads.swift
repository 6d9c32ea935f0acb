import CFiles

/// The rows made by C.
enum CReads {
    static func measure(_ samples: Samples, _ count: Int) throws -> [(Row, Double)] {
        let (block, blocks) = (CInt(Samples.block), CInt(Samples.blocks))
        func pool(_ depth: CInt) -> Double { cfiles_pool(samples.big, block, blocks, depth, count) }
        let measured: [(Row, Double)] = [
            (.pread, cfiles_pread(samples.big, block, blocks, count * 10)),
            (.cPoolOne, pool(1)), (.cPoolEight, pool(8)), (.cPoolMany, pool(64)),
            (.cWhole, cfiles_whole(samples.small, count)), (.cPoolWhole, cfiles_pool_whole(samples.small, count / 4)),
        ]
        if let failed = measured.first(where: { $0.1 < 0 }) { throw Failure(description: "\(failed.0) cannot read") }
        return measured
    }
}
