/// Values by descriptor. The kernel hands out the lowest free number, so an array is small and fast.
struct DescriptorTable<Value> {
    private var slots: [Value?] = []
    private(set) var count = 0

    subscript(descriptor: CInt) -> Value? {
        get { slots.indices.contains(Int(descriptor)) ? slots[Int(descriptor)] : nil }
        set {
            let index = Int(descriptor)
            if index >= slots.count {
                guard newValue != nil else { return }
                slots.append(contentsOf: repeatElement(nil, count: max(index + 1 - slots.count, slots.count)))
            }
            count += (newValue == nil ? 0 : 1) - (slots[index] == nil ? 0 : 1)
            slots[index] = newValue
        }
    }

    /// The descriptors that have a value, in ascending order.
    var descriptors: [CInt] { slots.indices.filter { slots[$0] != nil }.map(CInt.init) }
}
