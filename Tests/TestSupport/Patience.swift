import CSanitizers
import Foundation

/// How many minutes a test may take before it counts as hung. It ends what hangs; it measures nothing: with a sanitizer, on
/// a slow machine, beside seven others, a test takes a hundred times as long as by itself.
public let patience = isSanitized ? 20 : 5

/// Whether the thread sanitizer or the address sanitizer is in the process: both keep freed memory and slow things down.
public let isSanitized = csanitizers_are_there() != 0

/// Whether each test says how long it took after it has waited for its turn: `SWIFT_UV_TEST_TIMES=1`.
let printsTimes = unsafe getenv("SWIFT_UV_TEST_TIMES") != nil
