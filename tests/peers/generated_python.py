"""Changes a profile through each contract with the clients that openapi-python-client generates.

The argument is what `selfsame dev --json` prints; the clients are packages on the path. Prints what was read afterwards.
"""

import json
import sys
from uuid import UUID

from ciam_claims_codes_and_tokens_client import AuthenticatedClient as CiamClient
from ciam_claims_codes_and_tokens_client.api.person import show_claims, update_claims
from ciam_claims_codes_and_tokens_client.models import Claims, ClaimsUpdate, Refusal
from cl2c_users_client import AuthenticatedClient as Cl2cClient
from cl2c_users_client.api.user import show_user, update_user
from cl2c_users_client.models import User, UserUpdate
from river_gen_own_profile_client import AuthenticatedClient as RiverGenClient
from river_gen_own_profile_client.api.person import request_email_change, show_me, update_profile, verify_email_change
from river_gen_own_profile_client.models import EmailRequest, MeSuccess, ProfileUpdate, UpdatedSuccess
from system_portal_own_profile_client import AuthenticatedClient as SystemClient
from system_portal_own_profile_client.api.profile import show_profile
from system_portal_own_profile_client.api.profile import update_profile as update_account
from system_portal_own_profile_client.models import ProfileUpdate as AccountUpdate
from system_portal_own_profile_client.models import Success

given = json.loads(sys.argv[1])
base, contracts = given["base_url"], given["contracts"]

system = SystemClient(base_url=base, token=contracts["system"]["token"])
client_hash = contracts["system"]["client_hash"]
update_account.sync(client=system, x_client_hash=client_hash, body=AccountUpdate(account_name="Python System"))
account = show_profile.sync(client=system, x_client_hash=client_hash)
assert isinstance(account, Success)

cl2c = Cl2cClient(base_url=base, token=contracts["cl2c"]["api_key"], prefix="", auth_header_name="X-API-Key")
tenant = contracts["cl2c"]["tenant"]
update_user.sync(client=cl2c, tenant=tenant, body=UserUpdate(first_name="Python", last_name="Cl2c"))
user = show_user.sync(UUID(contracts["cl2c"]["user_id"]), client=cl2c, tenant=tenant)
assert isinstance(user, User)

rivergen = RiverGenClient(base_url=base, token=contracts["rivergen"]["token"])
profile = {"bio": "python", "gone": None, "list": [1, {"deep": [True, None]}], "object": {"member": "x"}}
changed = update_profile.sync(client=rivergen, body=ProfileUpdate.from_dict({"profile": profile}))
assert isinstance(changed, UpdatedSuccess)
me = show_me.sync(client=rivergen)
assert isinstance(me, MeSuccess)
asked = request_email_change.sync(client=rivergen, body=EmailRequest(new_email="python@example.com"))
assert asked is not None and asked.success and callable(verify_email_change.sync)

ciam = CiamClient(base_url=base, token=contracts["ciam"]["token"])
update_claims.sync(client=ciam, body=ClaimsUpdate(nickname="Python Ciam"))
claims = show_claims.sync(client=ciam)
assert isinstance(claims, Claims)
refused = update_claims.sync(client=ciam, body=ClaimsUpdate(name="x" * 127))
assert isinstance(refused, Refusal)

print(
    json.dumps(
        {
            "system": account.data.account_name,
            "cl2c": user.last_name,
            "rivergen": me.data.user.profile.to_dict(),
            "ciam": claims.nickname,
            "refused": refused.error,
        }
    )
)
