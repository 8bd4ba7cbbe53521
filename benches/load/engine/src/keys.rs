//! Masking keys, drawn in stock: one by one they would be a tenth of what a message costs.

/// Keys drawn at a time.
const STOCK: usize = 256;

/// Unpredictable keys, as RFC 6455 §10.3 demands.
#[derive(Debug)]
pub(super) struct Keys {
    stock: [[u8; 4]; STOCK],
    left: usize,
}

impl Keys {
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
    fn keys_are_not_handed_out_twice() {
        let mut keys = Keys::new();
        let drawn: HashSet<_> = (0..4 * STOCK).map(|_| keys.draw()).collect();
        // Of 1024 out of 2³², two are alike once in eight thousand times; four never.
        assert!(drawn.len() > 4 * STOCK - 4);
    }
}
