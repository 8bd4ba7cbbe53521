use super::Profile;

/// Parts of the names of headers that are likely to carry a secret.
const SECRETS: [&str; 6] = ["authorization", "cookie", "token", "secret", "key", "password"];

impl Profile {
    /// In place of the value of a header that is likely to be secret.
    pub const SECRET: &str = "(secret)";

    /// Whether the value of the header so named is likely to be secret.
    #[must_use]
    pub fn is_secret(header: &str) -> bool {
        let header = header.to_ascii_lowercase();
        SECRETS.iter().any(|secret| header.contains(secret))
    }

    /// A copy for reports, without the values of headers that are likely to be secret.
    #[must_use]
    pub fn public(&self) -> Self {
        let mut profile = self.clone();
        for (name, value) in &mut profile.target.headers {
            if Self::is_secret(name) {
                Self::SECRET.clone_into(value);
            }
        }
        profile
    }
}
