# customers.get and customers.create as a user would write them with fastmcp: one table, durable writes.
import os, sqlite3, threading, time, uuid, json
from typing import Optional
from fastmcp import FastMCP
DB=os.environ.get("DB","data/peer.db"); PORT=int(os.environ.get("PORT","8091"))
mcp=FastMCP("crm"); _l=threading.local(); _wl=threading.Lock()
COLS="id,type,first_name,last_name,company_name,display_name,phone_raw,phone_e164,email,status,created_at,updated_at,version"
KEYS={os.environ.get("API_KEY","sk_test_0123456789abcdef0123456789abcdef"):os.environ.get("TENANT","")}
def conn():
    c=getattr(_l,"c",None)
    if c is None:
        c=_l.c=sqlite3.connect(DB,isolation_level=None,timeout=30); c.execute("PRAGMA journal_mode=WAL"); c.execute("PRAGMA synchronous=FULL"); c.execute("PRAGMA cache_size=-16000")
    return c
def tenant()->bytes:
    from fastmcp.server.dependencies import get_http_headers
    h=get_http_headers(include_all=True).get("authorization","")
    t=KEYS.get(h[7:] if h.startswith("Bearer ") else "")
    if not t: raise PermissionError("unauthorized")
    return uuid.UUID(t).bytes
def row(r):
    d=dict(zip(COLS.split(","),r)); d["id"]=str(uuid.UUID(bytes=d["id"])); return d
@mcp.tool(name="customers.get")
async def customers_get(id:str)->dict:
    r=conn().execute(f"SELECT {COLS} FROM customers WHERE tenant_id=? AND id=?",(tenant(),uuid.UUID(id).bytes)).fetchone()
    if r is None: raise ValueError("not found")
    return row(r)
@mcp.tool(name="customers.create")
async def customers_create(first_name:str,last_name:str,phone:Optional[str]=None,email:Optional[str]=None)->dict:
    now=int(time.time()*1000); rid=now.to_bytes(6,"big")+os.urandom(10); rid=rid[:6]+bytes([0x70|rid[6]&15,rid[7],0x80|rid[8]&63])+rid[9:]
    conn().execute("INSERT INTO customers(tenant_id,id,type,first_name,last_name,display_name,phone_raw,phone_e164,email,status,created_at,updated_at,version) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,1)",(tenant(),rid,"individual",first_name,last_name,first_name+" "+last_name,phone,phone,email,"active",now,now))
    return dict(id=str(uuid.UUID(bytes=rid)),type="individual",first_name=first_name,last_name=last_name,company_name=None,display_name=first_name+" "+last_name,phone_raw=phone,phone_e164=phone,email=email,status="active",created_at=now,updated_at=now,version=1)
if __name__=="__main__":
    mcp.run(transport="http",host="127.0.0.1",port=PORT,path="/mcp",stateless_http=True,json_response=True,log_level="error",show_banner=False,uvicorn_config={"access_log":False})
