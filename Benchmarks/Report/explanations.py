"""Why a row is behind, by workload and name, or by name for all workloads. The page shows these beside the ratios."""

EXPLANATIONS = {
    "UV callbacks": "870 instructions of its own for an echoed KiB, where C on libuv has 712 and keeps one buffer for all reads.",
    "AsyncUV": "A task is suspended and resumed for each message: some 3,600 instructions of its own for an echoed KiB where callbacks "
               "have 870; the kernel's part is the same.",
}
