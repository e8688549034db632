// SPDX-License-Identifier: Apache-2.0

/// Finds the members of lines, one after the other.
///
/// The lines of an input mostly have the shape of the line before, and then cost a comparison instead of a scan.
struct LineScanner {
    /// How many lines in a row a shape may not fit before another is taken; more each time one never did.
    private static let patience = 8...1_024

    /// The members of the line that was scanned last.
    private(set) var members: [JSONMember] = []
    /// Which of them have a meaning here.
    private(set) var found = FoundMembers()

    private var shape: (shape: JSONShape, found: FoundMembers)?
    /// The members of the shape while those of a line that does not have it are at hand, and the other way round.
    private var others: [JSONMember] = []
    /// Whether the members at hand are those of the shape.
    private var isShapeAtHand = false
    private var patience = Self.patience.lowerBound
    /// How many lines in a row went by; as many as it takes before the first one.
    private var misses = Self.patience.lowerBound

    /// The member with a meaning, `nil` if the line has none.
    subscript(name: MemberName) -> JSONMember? {
        @inline(__always) get {
            guard let index = found[name] else { return nil }
            return members[index]
        }
    }

    /// Scans a line that must be an object.
    ///
    /// - Throws: ``JSONError`` at the first byte that breaks a rule.
    mutating func scan(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(JSONError) {
        if let shape {
            if !isShapeAtHand { swap(&members, &others) }
            if shape.shape.fits(bytes, range, members: &members) {
                if !isShapeAtHand {
                    isShapeAtHand = true
                    found = shape.found
                    patience = Self.patience.lowerBound
                }
                misses = 0
                return
            }
            swap(&members, &others)
            isShapeAtHand = false
        }
        try scanByGrammar(bytes, range)
        takeShape(bytes, range)
    }

    private mutating func scanByGrammar(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(JSONError) {
        found = FoundMembers()
        found.braceOffset = try JSONScanner.scanObject(bytes, in: range, into: &members) - range.lowerBound
        for index in members.indices { found.note(Self.name(of: members[index], bytes), at: index) }
    }

    /// Takes the shape of the line at hand if the last one has been of no use for some lines.
    private mutating func takeShape(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        misses += 1
        // Whoever drops members has to know where their names stand.
        guard misses > patience, found.responseMembers == 0 else { return }
        // Lines that have no shape to take are not looked at in vain one by one either.
        patience = min(2 * patience, Self.patience.upperBound)
        misses = 0
        guard let taken = JSONShape(of: bytes, range, members: members) else { return }
        shape = (taken, found)
        others = members
    }

    /// The name of a member, if it is one that we use or that a response line adds.
    static func name(of member: JSONMember, _ bytes: Span<UInt8>) -> MemberName? {
        guard member.nameHasEscapes else { return MemberName(bytes, member.name) }
        var name: [UInt8] = []
        JSONText.appendDecoded(bytes, member.name, to: &name)
        return MemberName(name.span, 0..<name.count)
    }
}
