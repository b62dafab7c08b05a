//! Who is calling: what the HTTP API's authorizer found out.

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

    /// A JWT's e-mail, else its subject; an IAM caller's session or user name.
    fn identity(&self) -> String {
        let authorizer = self.request.request_context.authorizer.as_ref();
        let jwt = authorizer.and_then(|authorizer| authorizer.jwt.as_ref());
        let claim = |name: &str| jwt.and_then(|jwt| jwt.claims.get(name)).cloned();
        let arn = authorizer.and_then(|authorizer| authorizer.iam.as_ref()?.user_arn.clone());
        let name = arn.and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
        claim("email").or_else(|| claim("sub")).or(name).unwrap_or_else(|| "unknown".to_owned())
    }
}
