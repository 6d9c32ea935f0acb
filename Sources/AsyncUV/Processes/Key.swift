/// A key that was pressed in a terminal, as far as terminals tell.
public struct Key: Hashable, Sendable {
    /// Which key.
    public enum Code: Hashable, Sendable {
        /// A character, as it was typed: `A` is not `a` with shift.
        case character(Character)
        /// Enter, or Return.
        case enter
        /// Tab.
        case tab
        /// Backspace: deletes to the left.
        case backspace
        /// Escape, alone.
        case escape
        /// Insert.
        case insert
        /// Delete: deletes to the right.
        case delete
        /// The arrow up.
        case up
        /// The arrow down.
        case down
        /// The arrow to the left.
        case left
        /// The arrow to the right.
        case right
        /// Home: the begin of the line.
        case home
        /// End: the end of the line.
        case end
        /// A page up.
        case pageUp
        /// A page down.
        case pageDown
        /// F1 and so on.
        case function(Int)
        /// A sequence that is none of these.
        case unknown([UInt8])
    }

    /// The keys that were held.
    public struct Modifiers: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Shift; terminals tell it of keys that are no characters.
        public static let shift = Self(rawValue: 1)
        /// Alt, or Meta.
        public static let alt = Self(rawValue: 2)
        /// Control.
        public static let control = Self(rawValue: 4)
    }

    /// Which key it is.
    public var code: Code
    /// What was held with it.
    public var modifiers: Modifiers

    /// A key, for comparisons and tests.
    public init(_ code: Code, _ modifiers: Modifiers = []) {
        self.code = code
        self.modifiers = modifiers
    }

    /// A character that was typed: `Key("q")`.
    public init(_ character: Character) { self.init(.character(character)) }

    /// A letter with the control key: `Key.control("c")` is Ctrl-C.
    public static func control(_ character: Character) -> Key { Key(.character(character), .control) }
}

extension Key: CustomStringConvertible {
    /// For people: `Ctrl-C`, `Alt-x`, `Shift-Up`, `F1`.
    public var description: String {
        var text = ""
        if modifiers.contains(.control) { text += "Ctrl-" }
        if modifiers.contains(.alt) { text += "Alt-" }
        if modifiers.contains(.shift) { text += "Shift-" }
        switch code {
        case .character(" "): return text + "Space"
        case .character(let character):
            return text + (modifiers.contains(.control) ? character.uppercased() : String(character))
        case .function(let number): return text + "F\(number)"
        case .unknown(let bytes): return text + "unknown \(bytes)"
        default: return text + "\(code)".prefix(1).uppercased() + "\(code)".dropFirst()
        }
    }
}
