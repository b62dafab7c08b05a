//! Who is calling: what the HTTP API's authorizer found out, or whom the console let in.

use meshline_core::config::directory::Directory;
use meshline_core::record::Actor;

use crate::Call;

impl Call<'_> {
    /// The person behind the call: one of the directory where the identity fits one, else the identity itself.
    pub(crate) fn actor(&self, directory: &Directory) -> Actor {
        let identity = self.identity();
        let person = directory.identify(&identity).map(|person| person.id.clone());
        Actor::person(&person.unwrap_or(identity))
    }

    /// Whom the console let in; a JWT's e-mail unless its issuer says that nobody verified it, else its subject; an IAM caller's
    /// session or user name.
    fn identity(&self) -> String {
        if let Some(reader) = &self.reader {
            return reader.clone();
        }
        let authorizer = self.request.request_context.authorizer.as_ref();
        let jwt = authorizer.and_then(|authorizer| authorizer.jwt.as_ref());
        let claim = |name: &str| jwt.and_then(|jwt| jwt.claims.get(name)).cloned();
        let arn = authorizer.and_then(|authorizer| authorizer.iam.as_ref()?.user_arn.clone());
        let name = arn.and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
        // API Gateway hands every claim over as text. Without its `@` an address could be the id of a person.
        let is_verified = claim("email_verified").is_none_or(|is| is == "true");
        let email = claim("email").filter(|email| is_verified && email.contains('@'));
        email.or_else(|| claim("sub")).or(name).unwrap_or_else(|| "unknown".to_owned())
    }
}
