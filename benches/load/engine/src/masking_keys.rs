//! Masking keys, drawn in stock: drawn one by one, they would be a tenth of the cost of a message.

/// MaskingKeys drawn at a time.
const STOCK: usize = 256;

/// Unpredictable keys, as RFC 6455 §10.3 demands.
#[derive(Debug)]
pub(super) struct MaskingKeys {
    stock: [[u8; 4]; STOCK],
    left: usize,
}

impl MaskingKeys {
    pub(super) const fn new() -> Self {
        Self { stock: [[0; 4]; STOCK], left: 0 }
    }

    /// The next key.
    pub(super) fn draw(&mut self) -> [u8; 4] {
        if self.left == 0 {
            rand::fill(self.stock.as_flattened_mut());
            self.left = STOCK;
        }
        self.left -= 1;
        self.stock[self.left]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn masking_keys_do_not_repeat() {
        let mut keys = MaskingKeys::new();
        let drawn: HashSet<_> = (0..4 * STOCK).map(|_| keys.draw()).collect();
        // Two of 1024 keys out of 2³² are equal once in eight thousand times; four never.
        assert!(drawn.len() > 4 * STOCK - 4);
    }
}
