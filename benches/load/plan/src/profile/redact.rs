use super::Profile;

/// Parts of the names of headers that are likely to carry a secret.
const SECRETS: [&str; 6] = ["authorization", "cookie", "token", "secret", "key", "password"];

impl Profile {
    /// A copy for reports, without the values of headers that are likely to be secret.
    #[must_use]
    pub fn public(&self) -> Self {
        let mut profile = self.clone();
        for (name, value) in &mut profile.target.headers {
            let name = name.to_ascii_lowercase();
            if SECRETS.iter().any(|secret| name.contains(secret)) {
                "(secret)".clone_into(value);
            }
        }
        profile
    }
}
