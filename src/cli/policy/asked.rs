//! Who asks for what: the caller and the target that the words of a command describe.

use std::path::{Path, PathBuf};

use clap::Args;
use oslopolicy::Target;
use serde_json::{Map, Value, json};

use crate::model::Context;

#[derive(Debug, Args)]
pub(super) struct Asked {
    /// Who asks, as Keystone describes a token: a file of JSON; the options below win over it
    #[arg(long, value_name = "TOKEN.json")]
    access: Option<PathBuf>,
    /// User who asks
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// Project of the token
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
    /// Roles of the token
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// Domain that the token is for, instead of a project
    #[arg(long, value_name = "ID")]
    domain_id: Option<String>,
    /// The token is for the whole deployment, instead of a project
    #[arg(long)]
    is_system: bool,
    /// The same, as clients spell it
    #[arg(long, value_name = "all", value_parser = ["all"])]
    system_scope: Option<String>,
    /// Attribute of the image that is acted upon; may be given several times. Of `owner` and `project_id`, which
    /// images have the same, one is enough. What is not given is as of a private image of the caller's project
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    target: Vec<(String, String)>,
    /// All attributes of what is acted upon: a file of JSON; inner objects are named with dots. --target adds to it
    #[arg(long, value_name = "F.json")]
    target_file: Option<PathBuf>,
}

fn pair(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it must be KEY=VALUE".to_owned()),
    }
}

impl Asked {
    /// The caller, who is `stranger` with all that is said of him.
    pub(super) fn caller(&self, stranger: Context) -> anyhow::Result<Context> {
        let mut ctx = stranger;
        if let Some(path) = &self.access {
            let access = read(path)?;
            let token = access.get("token").and_then(Value::as_object);
            let token = token.ok_or_else(|| anyhow::anyhow!("{}: there is no \"token\" in it", path.display()))?;
            identify(&mut ctx, &Value::Object(token.clone()));
        }
        let over = |given: &Option<String>, known: Option<String>| given.clone().or(known);
        ctx.user = over(&self.user_id, ctx.user);
        ctx.tenant = over(&self.project_id, ctx.tenant);
        ctx.domain = over(&self.domain_id, ctx.domain);
        ctx.system_scope = over(&self.system_scope, ctx.system_scope);
        if self.is_system {
            ctx.system_scope = Some("all".to_owned());
        }
        if let Some(roles) = &self.roles {
            let roles = roles.iter().map(|role| role.trim()).filter(|role| !role.is_empty());
            ctx.roles = roles.map(str::to_owned).collect();
        }
        Ok(ctx)
    }

    /// What the caller acts upon.
    pub(super) fn target(&self, ctx: &Context) -> anyhow::Result<Target> {
        let mut target = Map::new();
        match &self.target_file {
            Some(path) => flatten("", read(path)?, &mut target),
            None => target.extend(own_image(ctx)),
        }
        let names = |wanted: &str| self.target.iter().any(|(key, _)| key == wanted);
        for (key, value) in &self.target {
            let same = match key.as_str() {
                "owner" => Some("project_id"),
                "project_id" => Some("owner"),
                _ => None,
            };
            for key in same.filter(|same| !names(same)).into_iter().chain([key.as_str()]) {
                target.insert(key.to_owned(), json!(value));
            }
        }
        Ok(Target::from(target))
    }
}

fn own_image(ctx: &Context) -> [(String, Value); 6] {
    let owner = ctx.owner();
    [
        ("user_id", json!(ctx.user)),
        ("project_id", json!(owner)),
        ("owner", json!(owner)),
        ("visibility", json!("private")),
        ("member", Value::Null),
        ("member_id", Value::Null),
    ]
    .map(|(key, value)| (key.to_owned(), value))
}

/// Takes from the body of a token what rules can see of it.
fn identify(ctx: &mut Context, token: &Value) {
    let text = |path: &str| token.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let names = token.get("roles").and_then(Value::as_array).into_iter().flatten();
    ctx.user = text("/user/id");
    ctx.user_domain = text("/user/domain/id");
    ctx.tenant = text("/project/id");
    ctx.project_domain = text("/project/domain/id");
    ctx.domain = text("/domain/id");
    ctx.system_scope = token.get("system").map(|_| "all".to_owned());
    ctx.outside_admin_project = token.get("is_admin_project") == Some(&Value::Bool(false));
    ctx.roles = names.filter_map(|role| role.get("name")?.as_str().map(str::to_owned)).collect();
}

/// The object that a file holds.
fn read(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("cannot read {file}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| anyhow::anyhow!("{file} is no JSON object: {error}"))
}

fn flatten(prefix: &str, object: Map<String, Value>, out: &mut Map<String, Value>) {
    for (key, value) in object {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) => flatten(&name, inner, out),
            plain => {
                out.insert(name, plain);
            }
        }
    }
}
