/// A value that is made after the closure that needs it. Not a weak reference, because that slows every retain of its object.
final class Later<Value: AnyObject> {
    var value: Value?
}
