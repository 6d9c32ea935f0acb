import Foundation
import Synchronization
import TestSupport
import Testing
import UV

private let allocations = Atomic<Int>(0)
private let frees = Atomic<Int>(0)

private func replace() throws(UVError) {
    unsafe try LibuvMemory.replaceAllocator(
        allocate: { size in
            allocations.add(1, ordering: .relaxed)
            return unsafe malloc(size)
        },
        reallocate: { memory, size in
            if unsafe memory == nil { allocations.add(1, ordering: .relaxed) }
            return unsafe realloc(memory, size)
        },
        allocateZeroed: { count, size in
            allocations.add(1, ordering: .relaxed)
            return unsafe calloc(count, size)
        },
        free: { memory in
            if unsafe memory != nil { frees.add(1, ordering: .relaxed) }
            unsafe free(memory)
        })
}

@Suite struct LibuvMemoryTests {
    @Test("The functions are called, and what they gave is freed")
    func replacing() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                try replace()
                let environment = try SystemInfo.environment
                if environment.isEmpty { fatalError("no environment") }
                let loop = try Loop()
                try TimerHandle(on: loop).start(after: .zero) { $0.close() }
                try loop.run()
                try loop.close()
            }
            let counts = (allocations.load(ordering: .relaxed), frees.load(ordering: .relaxed))
            if counts.0 == 0 || counts.0 != counts.1 { fatalError("allocated and freed: \(counts)") }
        }
    }

    @Test("Too late: libuv has memory of the old functions")
    func tooLate() throws {
        try withLoop { _ in expectError(.resourceBusy) { try replace() } }
        #expect(allocations.load(ordering: .relaxed) == 0)
    }
}
